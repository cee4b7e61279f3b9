import type { Condition, Operator, Statement } from './policy.ts';

/** One permission that a call needs. */
export interface Ask {
  /** `dynamodb:PutItem` */
  readonly action: string;
  /** An ARN, or `*` for an action that is about no resource. */
  readonly resource: string;
  /** Values of condition keys. A key that the action does not know must be left out, as IAM leaves it out. */
  readonly keys?: Readonly<Record<string, readonly string[]>>;
}

/** Condition keys and their values; keys in lower case. */
type Keys = ReadonlyMap<string, readonly string[]>;

/**
 * Whether statements allow what is asked: one has to, and none may deny it (AWS IAM user guide, "Policy evaluation
 * logic").
 */
export function isAllowed(
  statements: readonly Statement[],
  ask: Ask,
  ofCaller: Readonly<Record<string, readonly string[]>> = {},
): boolean {
  const keys: Keys = new Map(
    Object.entries({ ...ofCaller, ...ask.keys }).map(([key, values]) => [key.toLowerCase(), values]),
  );
  const applying = statements.filter((statement) => applies(statement, ask, keys));
  return (
    applying.some(({ effect }) => effect === 'Allow') && !applying.some(({ effect }) => effect === 'Deny')
  );
}

function applies(
  { actions, resources, conditions }: Statement,
  { action, resource }: Ask,
  keys: Keys,
): boolean {
  const lower = action.toLowerCase();
  return (
    actions.some((pattern) => matches(pattern, lower)) &&
    resources.some((pattern) => {
      const known = withVariables(pattern, keys);
      return known !== undefined && matches(known, resource);
    }) &&
    conditions.every((condition) => holds(condition, keys))
  );
}

function holds({ operator, quantifier, key, values }: Condition, keys: Keys): boolean {
  const asked = keys.get(key);
  if (operator === 'Null') return values.includes(String(asked === undefined));
  const wanted = values.flatMap((value) => withVariables(value, keys) ?? []);
  if (asked === undefined || asked.length === 0) {
    // Nothing there differs from everything, and every one of none matches.
    return quantifier === 'ForAllValues' || (quantifier === undefined && isNegative(operator));
  }
  const one = (value: string): boolean => compare(operator, value, wanted);
  return quantifier === 'ForAllValues' ? asked.every(one) : asked.some(one);
}

const isNegative = (operator: Operator): boolean => operator.includes('Not');

function compare(operator: Operator, value: string, wanted: readonly string[]): boolean {
  switch (operator) {
    case 'StringEquals':
      return wanted.includes(value);
    case 'StringNotEquals':
      return !wanted.includes(value);
    case 'StringNotLike':
      return !wanted.some((pattern) => matches(pattern, value));
    case 'Bool':
      return wanted.some((text) => text.toLowerCase() === value.toLowerCase());
    default:
      // ArnEquals and ArnLike are the same to IAM, wildcards included.
      return wanted.some((pattern) => matches(pattern, value));
  }
}

/** Undefined when it names what nobody knows of this call: such a pattern matches nothing. */
function withVariables(text: string, keys: Keys): string | undefined {
  let known = true;
  const whole = text.replace(/\$\{([^}]+)\}/g, (_, key: string) => {
    const value = keys.get(key.toLowerCase())?.[0];
    if (value === undefined) known = false;
    return value ?? '';
  });
  return known ? whole : undefined;
}

const expressions = new Map<string, RegExp>();

/** `*` is any text, `?` any character. */
function matches(pattern: string, text: string): boolean {
  let expression = expressions.get(pattern);
  if (expression === undefined) {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
    expressions.set(pattern, expression);
  }
  return expression.test(text);
}
