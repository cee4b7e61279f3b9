/** One thing that is wrong with an event, as a person would say it. */
export interface Problem {
  /** Path in the event's detail: `containers[0].cpu`. Empty for the whole. */
  readonly field: string;
  /** The rule that is broken and what was found, a whole sentence. */
  readonly rule: string;
  /** What to do about it, a whole sentence. */
  readonly fix: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export const spoken = (problem: Problem): string => `${problem.rule} ${problem.fix}`;

/** What was found, short enough for a sentence and a log line. */
export function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
