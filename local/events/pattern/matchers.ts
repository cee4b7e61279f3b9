import { cidrTest } from './address.ts';
import { invalidPattern } from './errors.ts';
import type { Scalar } from './fields.ts';
import { wildcardTest } from './wildcard.ts';

/** Whether one value of an event satisfies one entry of a pattern's list. */
export type Test = (value: Scalar) => boolean;

/** `absent` is `{"exists": false}`: it asks for the path, not for a value. */
export type Matcher = Test | 'absent';

type Json = unknown;
type Entry = readonly [name: string, value: Json];

const isObject = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function onlyEntry(expression: Readonly<Record<string, Json>>): Entry {
  const entries = Object.entries(expression);
  const [entry] = entries;
  if (entry === undefined) throw invalidPattern('Match expression name not found');
  if (entries.length > 1) throw invalidPattern('Only one key allowed in match expression');
  return entry;
}

const onText =
  (test: (text: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value);

/** Both ways, because some letters fold only one way. */
const fold = (text: string): string => text.toUpperCase().toLowerCase();

function textOf(value: Json, kind: string): string {
  if (typeof value !== 'string') throw invalidPattern(`${kind} match pattern must be a string`);
  return value;
}

/** `"x"` or `{"equals-ignore-case": "x"}`, for prefix and suffix. */
function affix(
  value: Json,
  kind: 'prefix' | 'suffix',
  test: (text: string, affix: string) => boolean,
): (text: string) => boolean {
  if (!isObject(value)) {
    const wanted = textOf(value, kind);
    return (text) => test(text, wanted);
  }
  const [name, inner] = onlyEntry(value);
  if (name !== 'equals-ignore-case') throw invalidPattern(`Unsupported ${kind} pattern: ${name}`);
  const wanted = fold(textOf(inner, 'equals-ignore-case'));
  return (text) => test(fold(text), wanted);
}

const textTests: Readonly<Record<string, (value: Json) => (text: string) => boolean>> = {
  prefix: (value) => affix(value, 'prefix', (text, wanted) => text.startsWith(wanted)),
  suffix: (value) => affix(value, 'suffix', (text, wanted) => text.endsWith(wanted)),
  'equals-ignore-case': (value) => {
    const wanted = fold(textOf(value, 'equals-ignore-case'));
    return (text) => fold(text) === wanted;
  },
  wildcard: (value) => wildcardTest(textOf(value, 'wildcard')),
};

/** "Numeric matching works with values between -5.0e9 and +5.0e9": EventBridge user guide, event patterns. */
const NUMBER_LIMIT = 5_000_000_000;
const isComparable = (value: number): boolean => Math.abs(value) <= NUMBER_LIMIT;

function numberOf(value: Json, operator: string): number {
  if (typeof value !== 'number') throw invalidPattern(`Value of ${operator} must be numeric`);
  if (!isComparable(value)) {
    throw invalidPattern('Value must be between -5.0E9 and 5.0E9, inclusive');
  }
  return value;
}

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

function comparison(operator: Json, limit: Json): (value: number) => boolean {
  if (typeof operator !== 'string')
    throw invalidPattern(`Invalid member in numeric match: ${String(operator)}`);
  const compare = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (compare === undefined) throw invalidPattern(`Unrecognized numeric range operator: ${operator}`);
  const number = numberOf(limit, operator === '=' ? 'equals' : operator);
  return (value) => compare(value, number);
}

/** `["=", 5]` or `[">", 0, "<=", 5]`. */
function numeric(value: Json): Test {
  if (!Array.isArray(value)) throw invalidPattern('Value of numeric must be an array.');
  const [operator, limit, secondOperator, secondLimit, ...rest] = value as Json[];
  const first = comparison(operator, limit);
  const onNumber =
    (test: (number: number) => boolean): Test =>
    (candidate) =>
      typeof candidate === 'number' && isComparable(candidate) && test(candidate);
  if (value.length === 2) return onNumber(first);
  if (value.length === 3 || rest.length > 0) throw invalidPattern('Too many elements in numeric expression');
  const isFloor = operator === '>' || operator === '>=';
  const isCeiling = secondOperator === '<' || secondOperator === '<=';
  if (!isFloor) throw invalidPattern('Too many elements in numeric expression');
  if (!isCeiling) throw invalidPattern(`Bad numeric range operator: ${String(secondOperator)}`);
  const second = comparison(secondOperator, secondLimit);
  if (Number(limit) >= Number(secondLimit)) throw invalidPattern('Bottom must be less than top');
  return onNumber((number) => first(number) && second(number));
}

/** What `anything-but` excludes; a list is of strings only or of numbers only. */
function excluded(value: Json): Test {
  if (isObject(value)) {
    const [name, inner] = onlyEntry(value);
    const build = Object.hasOwn(textTests, name) ? textTests[name] : undefined;
    if (build === undefined) throw invalidPattern(`Unsupported anything-but pattern: ${name}`);
    const wanted: readonly Json[] = Array.isArray(inner) ? inner : [inner];
    if (wanted.length === 0) throw invalidPattern('Empty arrays are not allowed');
    if (wanted.includes('')) throw invalidPattern('Null prefix/suffix not allowed');
    const tests = wanted.map((item) => onText(build(item)));
    return (candidate) => tests.some((test) => test(candidate));
  }
  const values: readonly Json[] = Array.isArray(value) ? value : [value];
  const isText = values.every((item) => typeof item === 'string');
  const isNumber = values.every((item) => typeof item === 'number');
  if (!Array.isArray(value) && !isText && !isNumber) {
    throw invalidPattern('Value of anything-but must be an array or single string/number value.');
  }
  if (values.length === 0 || (!isText && !isNumber)) {
    throw invalidPattern(
      'Inside anything but list, either all values are number or string, mixed type is not supported',
    );
  }
  const set = new Set<unknown>(values);
  return (candidate) => set.has(candidate);
}

function expressionMatcher(expression: Readonly<Record<string, Json>>): Matcher {
  const [name, value] = onlyEntry(expression);
  const textTest = Object.hasOwn(textTests, name) ? textTests[name] : undefined;
  if (textTest !== undefined) return onText(textTest(value));
  switch (name) {
    case 'exists':
      if (typeof value !== 'boolean')
        throw invalidPattern('exists match pattern must be either true or false.');
      return value ? () => true : 'absent';
    case 'numeric':
      return numeric(value);
    case 'cidr':
      return onText(cidrTest(textOf(value, 'cidr')));
    case 'anything-but': {
      const excludes = excluded(value);
      return (candidate) => !excludes(candidate);
    }
    default:
      throw invalidPattern(`Unrecognized match type ${name}`);
  }
}

/** One entry of a pattern's list. */
export function compileMatcher(entry: Json): Matcher {
  if (isObject(entry)) return expressionMatcher(entry);
  if (Array.isArray(entry)) throw invalidPattern('Match value must be String, number, true, false, or null');
  return (value) => value === entry;
}
