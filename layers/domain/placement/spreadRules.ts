import type { PlacementStrategy } from '../model/task.ts';
import type { HostTable } from './hostTable.ts';
import type { SpreadCounter } from './spreadCounter.ts';
import type { TaskClass } from './taskClass.ts';

export type SpreadRule = Extract<PlacementStrategy, { type: 'spread' }>;

export const isHostSpread = (strategy: PlacementStrategy): boolean =>
  strategy.type === 'spread' && (strategy.field === 'instanceId' || strategy.field === 'host');

interface Level {
  readonly counter: SpreadCounter;
  readonly maxSkew: number | undefined;
  /** Domains in which some host may ever take the class; only they bound the skew. */
  readonly eligible: readonly number[];
  /** A host is its own domain: its count is part of the host's key already. */
  readonly byHost: boolean;
}

interface KeysByRow {
  at(row: number): number | undefined;
}

/**
 * A class's `spread` strategies, in order. Hosts with the same domain on every level form one list, so that choosing
 * compares one candidate a list: fewest tasks of the group on the first level, then on the second, then the host's key.
 */
export class SpreadRules {
  readonly active: boolean;
  /** How many lists there are. */
  readonly domains: number;
  readonly #levels: readonly Level[];
  readonly #listOf: Int32Array | undefined;

  constructor(table: HostTable, cls: TaskClass, mayEver: (row: number) => boolean, members: Int32Array) {
    const rules = cls.spec.placement.strategies.filter((strategy) => strategy.type === 'spread');
    this.active = rules.length > 0;
    this.#levels = rules.map((rule) => levelOf(table, cls, rule, mayEver));
    const wide = this.#levels.filter((level) => !level.byHost);
    if (wide.length === 0) {
      this.domains = 1;
      return;
    }
    const [only, ...others] = wide;
    if (only !== undefined && others.length === 0) {
      this.#listOf = only.counter.domainOf;
      this.domains = only.counter.names.length;
      return;
    }
    const lists = new Map<number, number>();
    this.#listOf = new Int32Array(table.hosts.length);
    for (const row of members) {
      const combination = wide.reduce(
        (at, { counter }) => at * counter.names.length + (counter.domainOf[row] as number),
        0,
      );
      const list = lists.get(combination) ?? lists.size;
      lists.set(combination, list);
      this.#listOf[row] = list;
    }
    this.domains = lists.size;
  }

  domainOf(row: number): number {
    return this.#listOf === undefined ? 0 : (this.#listOf[row] as number);
  }

  /** Of the lists' best rows (-1: none) the one the strategies prefer and every `maxSkew` allows, or -1. */
  choose(tops: readonly number[], keys: KeysByRow): number {
    let best = -1;
    for (const row of tops) {
      if (row < 0 || !this.#allows(row)) continue;
      if (best < 0 || this.#compare(row, best, keys) < 0) best = row;
    }
    return best;
  }

  #allows(row: number): boolean {
    return this.#levels.every(({ counter, maxSkew, eligible }) => {
      if (maxSkew === undefined) return true;
      let least = Number.POSITIVE_INFINITY;
      for (const domain of eligible) least = Math.min(least, counter.counts[domain] as number);
      return counter.countAt(row) + 1 - least <= maxSkew;
    });
  }

  #compare(a: number, b: number, keys: KeysByRow): number {
    for (const { counter } of this.#levels) {
      const difference = counter.countAt(a) - counter.countAt(b);
      if (difference !== 0) return difference;
    }
    return (keys.at(a) ?? 0) - (keys.at(b) ?? 0) || a - b;
  }
}

function levelOf(
  table: HostTable,
  cls: TaskClass,
  rule: SpreadRule,
  mayEver: (row: number) => boolean,
): Level {
  const counter = table.spread(cls.spec.group, rule.field);
  const eligible = new Set<number>();
  if (rule.maxSkew !== undefined) {
    table.hosts.forEach(({ state }, row) => {
      const opens = state === 'READY' || state === 'BOOTING';
      if (opens && mayEver(row)) eligible.add(counter.domainOf[row] as number);
    });
  }
  return { counter, maxSkew: rule.maxSkew, eligible: [...eligible], byHost: isHostSpread(rule) };
}
