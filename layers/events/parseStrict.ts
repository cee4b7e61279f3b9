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

const brokenRule = (
  node: SchemaNode | undefined,
  field: string,
  value: unknown,
  broken?: string,
): Problem => {
  const subject = field === '' ? 'The detail' : field;
  const words = wordsOf(node);
  const rule = broken ?? `must be ${words.must ?? 'something else'}; it is ${found(value)}`;
  return { field, rule: `${subject} ${rule}.`, fix: words.fix ?? `Correct ${subject}.` };
};

/**
 * What valibot lets pass: lists where objects are due, which to it are objects, and every unknown field of an object but
 * the first.
 */
function looseEnds(node: SchemaNode | undefined, value: unknown, path: string, depth = 0): Problem[] {
  if (node === undefined || depth > MAX_DEPTH) return [];
  const inner = unwrapped(node);
  if (Array.isArray(value)) {
    if (inner.type !== 'array')
      return inner.entries || inner.value || inner.options ? [brokenRule(node, path, value)] : [];
    return value.flatMap((each, index) => looseEnds(inner.item, each, join(path, index), depth + 1));
  }
  if (!isRecord(value)) return [];
  const entries = chosenOption(inner, value)?.entries;
  if (!entries) return [];
  return Object.keys(value).flatMap((key) =>
    Object.hasOwn(entries, key)
      ? looseEnds(entries[key], value[key], join(path, key), depth + 1)
      : [unknownField(join(path, key), key, Object.keys(entries))],
  );
}

const isUnknownField = (issue: v.BaseIssue<unknown>): boolean =>
  issue.type === 'strict_object' && issue.expected === 'never';

/** The message of a check, whose rule is not in its field's words: both sentences, a line each. */
export const sentence = (rule: string, fix: string): string => `${rule.replaceAll('\n', ' ')}\n${fix}`;

function toProblem(root: SchemaNode, issue: v.BaseIssue<unknown>): Problem {
  let node: SchemaNode | undefined = root;
  let parent: SchemaNode | undefined;
  let field = '';
  for (const item of issue.path ?? []) {
    parent = node;
    // Valibot's path items carry the object or list that the step starts from.
    node = stepInto(node, item.input, item.key);
    field = join(field, item.key as string | number);
  }
  if (issue.type === 'check') {
    const [rule = '', ...fix] = issue.message.split('\n');
    return { field, rule, fix: fix.join(' ') };
  }
  const last = issue.path?.at(-1);
  const value = last === undefined ? issue.input : last.value;
  if (issue.type === 'variant' && last !== undefined && wordsOf(node).must === undefined) {
    // The field that chooses among several shapes: the words are those of the whole.
    const broken = `must be that of ${wordsOf(parent).must}; it is ${found(value)}`;
    return brokenRule(parent, field, value, broken);
  }
  if (value === undefined) {
    const { must = 'something', fix = `Add ${field}.` } = wordsOf(node);
    return { field, rule: `${field} is required: ${must}.`, fix };
  }
  const problem = brokenRule(node, field, value);
  const quotedNumber =
    issue.type === 'number' && typeof value === 'string' && Number.isFinite(Number.parseFloat(value));
  return quotedNumber ? { ...problem, fix: 'Write it as a number, without quotes.' } : problem;
}

/** Parses against a schema made of strict objects and says everything that is wrong with the value at once. */
export function parseStrict<S extends AnySchema>(schema: S, value: unknown): Parsed<v.InferOutput<S>> {
  const root = nodeOf(schema);
  const result = v.safeParse(schema, value);
  const problems = new Map<string, Problem>();
  for (const problem of looseEnds(root, value, '')) problems.set(problem.field, problem);
  for (const issue of result.issues ?? []) {
    if (isUnknownField(issue)) continue;
    const problem = toProblem(root, issue);
    // Two broken rules of one field read the same: the field's words state all its rules.
    if (!problems.has(problem.field)) problems.set(problem.field, problem);
  }
  if (result.success && problems.size === 0) return { ok: true, value: result.output };
  return { ok: false, problems: [...problems.values()].slice(0, MAX_PROBLEMS) };
}
