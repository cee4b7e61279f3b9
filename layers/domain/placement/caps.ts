import type { Task } from '../model/task.ts';

/** The ids of the tasks that hold a place, by concurrency key. */
export type Holders = ReadonlyMap<string, readonly string[]>;

/** Tasks in the order in which they ask the least of each other: whoever has the smallest maximum first. */
export const byMax = (tasks: readonly Task[]): Task[] =>
  tasks
    .filter(({ spec }) => spec.concurrency !== undefined)
    .toSorted((a, b) => (a.spec.concurrency?.max ?? 0) - (b.spec.concurrency?.max ?? 0));

/**
 * Counts the holders of concurrency keys while a pass hands out places. Each task is held to its own maximum: it may have
 * a place when fewer than that many tasks of its key have one, whatever theirs allow.
 */
export class Caps {
  readonly #held = new Map<string, number>();
  readonly #holders: Holders;

  constructor(holders: Holders = new Map()) {
    this.#holders = holders;
  }

  /** Whether all of these may have a place, each beside the others. */
  admits(tasks: readonly Task[]): boolean {
    const more = new Map<string, number>();
    return byMax(tasks).every(({ spec }) => {
      const { key = '', max = 0 } = spec.concurrency ?? {};
      const count = this.#count(key) + (more.get(key) ?? 0);
      more.set(key, (more.get(key) ?? 0) + 1);
      return count < max;
    });
  }

  take({ spec }: Task): void {
    if (spec.concurrency === undefined) return;
    const { key } = spec.concurrency;
    this.#held.set(key, this.#count(key) + 1);
  }

  #count(key: string): number {
    return this.#held.get(key) ?? this.#holders.get(key)?.length ?? 0;
  }
}

/** What a task waits for whose key has no place left. It says the same until that changes, as it is put on record. */
export const cappedWords = (task: Task): string => {
  const { key = '', max = 0 } = task.spec.concurrency ?? {};
  return `key "${key}" has ${max} of ${max} places taken: it is placed when one of them ends`;
};

/** Of how many holders `explain` gives the ids. */
const MAX_NAMED = 10;

/** The same for `explain`, with who holds the places: `key "db" has 3 of 3 running: a, b, c`. */
export function holdersWords(task: Task, holders: Holders | undefined): string {
  const { key = '', max = 0 } = task.spec.concurrency ?? {};
  const ids = holders?.get(key) ?? [];
  const rest = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
  return `key "${key}" has ${ids.length} of ${max} running: ${ids.slice(0, MAX_NAMED).join(', ')}${rest}`;
}
