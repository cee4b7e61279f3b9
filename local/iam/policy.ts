/** What a statement of a policy says, read once. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** Patterns, in lower case. */
  readonly actions: readonly string[];
  /** Patterns; may hold policy variables. */
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly operator: Operator;
  /** Of a key with several values: every one has to match, or any. Absent: it has one. */
  readonly quantifier?: 'ForAllValues' | 'ForAnyValue';
  /** In lower case: keys are the same whatever their case. */
  readonly key: string;
  readonly values: readonly string[];
}

const operators = [
  'StringEquals',
  'StringNotEquals',
  'StringLike',
  'StringNotLike',
  'ArnEquals',
  'ArnLike',
  'Bool',
  'Null',
] as const;
export type Operator = (typeof operators)[number];

/** A policy that cannot be carried out here, so that it must not look as if it were. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

type Json = Readonly<Record<string, unknown>>;

const STATEMENT_MEMBERS = ['Sid', 'Effect', 'Action', 'Resource', 'Condition'];

/** Reads an identity's policy document. @throws PolicyError that names what it cannot enforce. */
export function readPolicy(document: unknown, where: string): Statement[] {
  if (typeof document !== 'object' || document === null || !('Statement' in document))
    throw new PolicyError(`${where}: a policy has to be a document with a Statement here.`);
  return listOf(document.Statement).map((statement) => readStatement(statement as Json, where));
}

function readStatement(statement: Json, where: string): Statement {
  const unknown = Object.keys(statement).filter((member) => !STATEMENT_MEMBERS.includes(member));
  if (unknown.length > 0)
    throw new PolicyError(`${where}: the embedded AWS does not enforce ${unknown.join(', ')}.`);
  const { Effect } = statement;
  if (Effect !== 'Allow' && Effect !== 'Deny')
    throw new PolicyError(`${where}: Effect has to be Allow or Deny.`);
  return {
    effect: Effect,
    actions: listOf(statement.Action).map((action) => String(action).toLowerCase()),
    resources: listOf(statement.Resource).map(String),
    conditions: Object.entries((statement.Condition ?? {}) as Readonly<Record<string, Json>>).flatMap(
      ([name, operands]) =>
        Object.entries(operands).map(([key, values]) => ({
          ...readOperator(name, where),
          key: key.toLowerCase(),
          values: listOf(values).map(String),
        })),
    ),
  };
}

function readOperator(name: string, where: string): Pick<Condition, 'operator' | 'quantifier'> {
  const [last = '', quantifier] = name.split(':').reverse();
  const operator = operators.find((known) => known === last);
  if (operator === undefined)
    throw new PolicyError(`${where}: the embedded AWS does not enforce the condition operator ${name}.`);
  if (quantifier === undefined) return { operator };
  if (quantifier === 'ForAllValues' || quantifier === 'ForAnyValue') return { operator, quantifier };
  throw new PolicyError(`${where}: ${quantifier} is no quantifier of a condition.`);
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
