/** Why an expression is not in the cluster query language. `position` counts characters from 0. */
export class QueryError extends Error {
  readonly expression: string;
  readonly position: number;
  /** The rule that was broken, as a sentence without a full stop. */
  readonly rule: string;
  /** What to write instead. */
  readonly fix: string;

  constructor(expression: string, position: number, rule: string, fix: string) {
    super(`${rule}, at character ${position} of "${expression}". ${fix}`);
    this.name = 'QueryError';
    this.expression = expression;
    this.position = position;
    this.rule = rule;
    this.fix = fix;
  }
}
