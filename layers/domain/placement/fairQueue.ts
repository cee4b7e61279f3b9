import { sourceTag } from '../model/host.ts';
import { plus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { dominantShare, heldBySource, heldShares, totalCapacity, usageAt, weightOf } from './fairShare.ts';

interface Entry {
  readonly task: Task;
}

interface Lane<E> {
  readonly source: string;
  readonly entries: E[];
  next: number;
}

/**
 * Hands a pass its tasks one by one: higher priority first, then from the source with the least `(used + held) / weight`, then by
 * age. What a source is given counts at once, what does not fit does not: its next task is looked at in its place. Usage
 * decays and a source that holds nothing comes first in the end, so that none starves within a priority.
 */
export class FairQueue<E extends Entry> {
  readonly #groups: Lane<E>[][];
  /** Only then does it matter who has been given what. */
  readonly #shared: boolean;
  readonly #snapshot: Snapshot;
  readonly #total: Resources;
  readonly #held: Map<string, Resources>;
  readonly #used: Readonly<Record<string, number>>;
  readonly #scores = new Map<string, number>();

  /** `queue` is in the order of urgency. */
  constructor(queue: readonly E[], snapshot: Snapshot, nowMs: number) {
    this.#snapshot = snapshot;
    this.#groups = lanesOf(queue);
    const shared = this.#groups.some((lanes) => lanes.length > 1);
    this.#shared = shared;
    this.#total = shared ? totalCapacity(snapshot.hosts) : {};
    this.#held = shared ? heldBySource(snapshot.hosts) : new Map();
    this.#used = shared ? usageAt(snapshot.cluster.usage, heldShares(snapshot.hosts), nowMs).bySource : {};
  }

  /** Undefined when all have been handed out. */
  next(): E | undefined {
    for (;;) {
      const lanes = this.#groups[0];
      if (lanes === undefined) return undefined;
      const lane = lanes.length === 1 ? lanes[0] : this.#least(lanes);
      const entry = lane?.entries[lane.next];
      if (lane !== undefined && entry !== undefined) {
        lane.next += 1;
        if (lane.next === lane.entries.length) lanes.splice(lanes.indexOf(lane), 1);
        return entry;
      }
      this.#groups.shift();
    }
  }

  /** The task has been given a place. */
  took({ source, spec }: Task): void {
    if (!this.#shared) return;
    const tag = sourceTag(source);
    this.#held.set(tag, plus(this.#held.get(tag) ?? {}, spec.demand));
    this.#scores.delete(source);
  }

  #least(lanes: readonly Lane<E>[]): Lane<E> | undefined {
    let least: Lane<E> | undefined;
    for (const lane of lanes) {
      // Lanes stand in the order of their oldest task's urgency, so that the first of equals stays.
      if (least === undefined || this.#score(lane.source) < this.#score(least.source)) least = lane;
    }
    return least;
  }

  #score(source: string): number {
    const known = this.#scores.get(source);
    if (known !== undefined) return known;
    const tag = sourceTag(source);
    const held = dominantShare(this.#held.get(tag) ?? {}, this.#total);
    const score = ((this.#used[tag] ?? 0) + held) / weightOf(this.#snapshot.cluster, source);
    this.#scores.set(source, score);
    return score;
  }
}

function lanesOf<E extends Entry>(queue: readonly E[]): Lane<E>[][] {
  const groups: Lane<E>[][] = [];
  let lanes = new Map<string, Lane<E>>();
  let priority: number | undefined;
  for (const entry of queue) {
    const { source, spec } = entry.task;
    if (spec.priority !== priority) {
      priority = spec.priority;
      lanes = new Map();
      groups.push([]);
    }
    const known = lanes.get(source);
    if (known !== undefined) {
      known.entries.push(entry);
      continue;
    }
    const lane: Lane<E> = { source, entries: [entry], next: 0 };
    lanes.set(source, lane);
    groups.at(-1)?.push(lane);
  }
  return groups;
}
