import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';

export type Item = Record<string, unknown>;

/** Absent and `undefined` are the same to DynamoDB; nothing of ours relies on storing an empty value as NULL. */
export const toImage = (item: Item): Record<string, AttributeValue> =>
  marshall(item, { removeUndefinedValues: true });

/**
 * Names and values of one request's expressions. Every name goes through a placeholder, because STATE, ZONE and 570 more
 * are reserved; placeholders are short, because an expression may not exceed 4 KB.
 */
export class Expression {
  private readonly names = new Map<string, string>();
  private readonly values: Item = {};
  private valueCount = 0;

  /** `path('left', 'cpu')` is the nested attribute `left.cpu`. */
  path(...parts: readonly string[]): string {
    return parts.map((part) => this.placeholder(part)).join('.');
  }

  value(value: unknown): string {
    const name = `:${(this.valueCount++).toString(36)}`;
    this.values[name] = value;
    return name;
  }

  equals(path: string, value: unknown): string {
    return `${path} = ${this.value(value)}`;
  }

  oneOf(path: string, values: readonly unknown[]): string {
    return `${path} IN (${values.map((value) => this.value(value)).join(',')})`;
  }

  get attributes(): {
    readonly ExpressionAttributeNames?: Record<string, string>;
    readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
  } {
    return {
      ...(this.names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries([...this.names].map(([name, short]) => [short, name])),
      }),
      ...(this.valueCount > 0 && { ExpressionAttributeValues: toImage(this.values) }),
    };
  }

  private placeholder(part: string): string {
    const known = this.names.get(part);
    if (known !== undefined) return known;
    const short = `#${this.names.size.toString(36)}`;
    this.names.set(part, short);
    return short;
  }
}

/** An update and its condition, sharing one set of placeholders. */
export class Update extends Expression {
  private readonly clauses: Record<'SET' | 'REMOVE' | 'ADD' | 'DELETE', string[]> = {
    SET: [],
    REMOVE: [],
    ADD: [],
    DELETE: [],
  };

  /** Sets a path to an expression over other paths. */
  assign(path: string, expression: string): void {
    this.clauses.SET.push(`${path}=${expression}`);
  }

  set(path: string, value: unknown): void {
    this.assign(path, this.value(value));
  }

  increment(name: string): void {
    this.assign(this.path(name), `${this.path(name)} + ${this.value(1)}`);
  }

  /** Sets each attribute that is defined and leaves the others alone. */
  setAll(attributes: Item): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.set(this.path(name), value);
    }
  }

  remove(...paths: readonly string[]): void {
    this.clauses.REMOVE.push(...paths);
  }

  /** DynamoDB knows no empty set, and refuses a placeholder that nothing uses. */
  addToSet(name: string, members: readonly string[]): void {
    if (members.length > 0) this.clauses.ADD.push(`${this.path(name)} ${this.value(new Set(members))}`);
  }

  addNumber(name: string, member: number): void {
    this.clauses.ADD.push(`${this.path(name)} ${this.value(new Set([member]))}`);
  }

  deleteFromSet(name: string, members: readonly string[]): void {
    if (members.length > 0) this.clauses.DELETE.push(`${this.path(name)} ${this.value(new Set(members))}`);
  }

  get text(): string {
    return Object.entries(this.clauses)
      .filter(([, parts]) => parts.length > 0)
      .map(([verb, parts]) => `${verb} ${parts.join(',')}`)
      .join(' ');
  }
}
