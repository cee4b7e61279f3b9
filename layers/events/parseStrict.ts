import * as v from 'valibot';
import { nearestName } from './nearestName.ts';
import { found, type Parsed, type Problem } from './problem.ts';
import {
  type AnySchema,
  chosenOption,
  nodeOf,
  type SchemaNode,
  stepInto,
  unwrapped,
  wordsOf,
} from './schemaNode.ts';

/** More problems than this help nobody. */
const MAX_PROBLEMS = 50;
/** Deeper than any schema here; a hostile value may nest further than the stack is deep. */
const MAX_DEPTH = 12;

const join = (path: string, key: string | number): string => {
  if (typeof key === 'number') return `${path}[${key}]`;
  const plain = /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key);
  if (!plain) return `${path}[${JSON.stringify(key).slice(0, 64)}]`;
  return path === '' ? key : `${path}.${key}`;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unknownField = (field: string, name: string, known: readonly string[]): Problem => {
  const nearest = nearestName(name, known);
  return {
    field,
    rule: `There is no field ${field}.`,
    fix: nearest ? `Did you mean ${nearest}?` : `Leave it out; known here are ${known.join(', ')}.`,
  };
};

/** Every field that the schema's strict objects do not know: valibot itself stops at the first of an object. */
function unknownFields(node: SchemaNode | undefined, value: unknown, path: string, depth = 0): Problem[] {
  if (node === undefined || depth > MAX_DEPTH) return [];
  const inner = unwrapped(node);
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => unknownFields(inner.item, each, join(path, index), depth + 1));
  }
  if (!isRecord(value)) return [];
  const entries = chosenOption(inner, value)?.entries;
  if (!entries) return [];
  return Object.keys(value).flatMap((key) =>
    Object.hasOwn(entries, key)
      ? unknownFields(entries[key], value[key], join(path, key), depth + 1)
      : [unknownField(join(path, key), key, Object.keys(entries))],
  );
}

const isUnknownField = (issue: v.BaseIssue<unknown>): boolean =>
  issue.type === 'strict_object' && issue.expected === 'never';

/** A sentence that was written for this very issue, as `rule|fix`: cross-field checks have no field's words to use. */
export const sentence = (rule: string, fix: string): string => `${rule}|${fix}`;

function toProblem(root: SchemaNode, issue: v.BaseIssue<unknown>): Problem {
  let node: SchemaNode | undefined = root;
  let field = '';
  for (const item of issue.path ?? []) {
    // Valibot's path items carry the object or list that the step starts from.
    node = stepInto(node, item.input, item.key);
    field = join(field, item.key as string | number);
  }
  const [rule, fix] = issue.message.split('|');
  if (fix !== undefined && rule !== undefined) return { field, rule, fix };
  const subject = field === '' ? 'The detail' : field;
  const last = issue.path?.at(-1);
  const value = last === undefined ? issue.input : last.value;
  const words = wordsOf(node);
  const must = words.must ?? `what the schema says (${issue.message})`;
  const broken = value === undefined ? `is required: ${must}` : `must be ${must}; it is ${found(value)}`;
  return {
    field,
    rule: `${subject} ${broken}.`,
    fix: words.fix ?? (value === undefined ? `Add ${subject}.` : `Correct ${subject}.`),
  };
}

/** Parses against a schema made of strict objects and says everything that is wrong with the value at once. */
export function parseStrict<S extends AnySchema>(schema: S, value: unknown): Parsed<v.InferOutput<S>> {
  const result = v.safeParse(schema, value);
  if (result.success) return { ok: true, value: result.output };
  const root = nodeOf(schema);
  const problems = new Map<string, Problem>();
  for (const problem of unknownFields(root, value, '')) problems.set(problem.field, problem);
  for (const issue of result.issues) {
    if (isUnknownField(issue)) continue;
    const problem = toProblem(root, issue);
    // Two broken rules of one field read the same: the field's words state all its rules.
    if (!problems.has(problem.field)) problems.set(problem.field, problem);
  }
  return { ok: false, problems: [...problems.values()].slice(0, MAX_PROBLEMS) };
}
