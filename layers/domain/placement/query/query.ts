import { evaluate } from './evaluate.ts';
import type { Expression, HostFacts } from './expression.ts';
import { parseExpression } from './parse.ts';
import { pinnedInstances } from './pinned.ts';

/** A parsed expression of ECS's cluster query language. */
export interface Query {
  readonly text: string;
  readonly expression: Expression;
  /** The only instances that can satisfy it, when its text names them; undefined when any may. */
  readonly instanceIds: ReadonlySet<string> | undefined;
}

/** Launches pin each task to its hosts with an expression of its own, so the memory must not grow with them. */
const MAX_REMEMBERED = 1024;
const remembered = new Map<string, Query>();

/** Parses, or finds an earlier parse. Throws `QueryError` with position, rule and fix. */
export function parseQuery(text: string): Query {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const expression = parseExpression(text);
  const query: Query = { text, expression, instanceIds: pinnedInstances(expression) };
  if (remembered.size >= MAX_REMEMBERED) {
    const oldest = remembered.keys().next();
    if (oldest.done !== true) remembered.delete(oldest.value);
  }
  remembered.set(text, query);
  return query;
}

export const matches = (query: Query, facts: HostFacts): boolean => evaluate(query.expression, facts);
