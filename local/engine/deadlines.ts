import type { Cancel, EngineClock } from './clock.ts';

/** One item's place in a `Deadlines`; owned by the caller, moved and removed through it. */
export interface Deadline<T> {
  readonly item: T;
  /** Epoch ms. */
  atMs: number;
  /** Breaks ties by the order of setting, so that equal deadlines come out deterministically. */
  order: number;
  /** Place in the heap; -1 when it is not in it. */
  index: number;
}

/** A binary heap of deadlines whose entries know their place: adding, moving and removing cost O(log n). */
export class Deadlines<T> {
  private readonly heap: Deadline<T>[] = [];
  private orders = 0;

  get size(): number {
    return this.heap.length;
  }

  get earliestMs(): number | undefined {
    return this.heap[0]?.atMs;
  }

  add(item: T, atMs: number): Deadline<T> {
    const entry: Deadline<T> = { item, atMs, order: this.orders++, index: this.heap.length };
    this.heap.push(entry);
    this.up(entry);
    return entry;
  }

  /** Gives an entry a new deadline; an entry that was taken or removed comes back in. */
  move(entry: Deadline<T>, atMs: number): void {
    entry.atMs = atMs;
    entry.order = this.orders++;
    if (entry.index < 0) {
      entry.index = this.heap.length;
      this.heap.push(entry);
    }
    this.up(entry);
    this.down(entry);
  }

  /** Harmless for an entry that is no longer in. */
  remove(entry: Deadline<T>): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.heap.pop();
    if (last === undefined || last === entry) return;
    last.index = index;
    this.heap[index] = last;
    this.up(last);
    this.down(last);
  }

  /** Takes the earliest item out if it is due. */
  takeDue(nowMs: number): T | undefined {
    const first = this.heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.remove(first);
    return first.item;
  }

  clear(): void {
    for (const entry of this.heap) entry.index = -1;
    this.heap.length = 0;
  }

  private up(entry: Deadline<T>): void {
    const { heap } = this;
    let { index } = entry;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = parentIndex;
    }
    heap[index] = entry;
    entry.index = index;
  }

  private down(entry: Deadline<T>): void {
    const { heap } = this;
    let { index } = entry;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, entry)) break;
      const { index: childIndex } = child;
      heap[index] = child;
      child.index = index;
      index = childIndex;
    }
    heap[index] = entry;
    entry.index = index;
  }
}

const isBefore = (a: Deadline<unknown>, b: Deadline<unknown>): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * Keeps one timer for the earliest of many deadlines. A timer that turns out too early is left to fire and asked again:
 * cheaper than a new timer for every message.
 */
export class WakeTimer {
  private readonly clock: EngineClock;
  private readonly wake: () => void;
  private armedMs = Number.POSITIVE_INFINITY;
  private cancel: Cancel | undefined;

  constructor(clock: EngineClock, wake: () => void) {
    this.clock = clock;
    this.wake = wake;
  }

  /** Makes sure that `wake` runs at `atMs` or earlier. */
  need(atMs: number | undefined): void {
    if (atMs === undefined || atMs >= this.armedMs) return;
    this.cancel?.();
    this.armedMs = atMs;
    this.cancel = this.clock.after(Math.max(0, atMs - this.clock.now()), () => {
      this.armedMs = Number.POSITIVE_INFINITY;
      this.cancel = undefined;
      this.wake();
    });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.armedMs = Number.POSITIVE_INFINITY;
  }
}
