import type { PlacementStrategy } from '../model/task.ts';
import { Admission } from './admission.ts';
import type { HostTable } from './hostTable.ts';
import { type RowIndex, rowIndex } from './rowHeap.ts';
import { fieldScore, packingScore, randomScore, SCORE_CEILING, type Score } from './score.ts';
import { ShortList } from './shortList.ts';
import { isHostSpread, SpreadRules } from './spreadRules.ts';
import type { TaskClass } from './taskClass.ts';

interface Index {
  readonly rows: RowIndex;
  /** Rows of the search that may ever take the class. */
  readonly eligible: Uint8Array;
  /** One list for each combination of spread domains. */
  readonly lists: readonly ShortList[];
}

/** By the rows of a search. */
const wholeSearches = new WeakMap<Int32Array, Uint8Array>();

/** Below this many tasks a heap costs more to build than it saves. */
const HEAP_FROM_TASKS = 3;

/**
 * The hosts that can take one class, best first. Built once a pass and then kept up to date from the table's log, so that
 * a placement costs what changed since the class was last looked at, not the number of hosts.
 */
export class Candidates {
  readonly #table: HostTable;
  readonly #cls: TaskClass;
  readonly #admission: Admission;
  readonly #spread: SpreadRules;
  readonly #hostKey: Score;
  /** Beside someone: the first of a group to be placed changes what every other host answers. */
  readonly #besideOwn: boolean;
  #groupStarted = false;
  /** Undefined while the class is too small to need it. */
  #index: Index | undefined;
  readonly #members: Int32Array;
  #seen = 0;

  constructor(table: HostTable, cls: TaskClass, members: Int32Array) {
    this.#table = table;
    this.#cls = cls;
    this.#members = members;
    this.#admission = new Admission(table, cls);
    this.#hostKey = hostKeyOf(table, cls);
    this.#besideOwn = cls.spec.placement.constraints.some(
      (constraint) => constraint.type === 'affinity' && constraint.group === cls.spec.group,
    );
    this.#spread = new SpreadRules(table, cls, (row) => this.#admission.mayEver(row), members);
    if (cls.remaining >= HEAP_FROM_TASKS) this.#build();
  }

  /** The best host's row, or -1. */
  best(): number {
    const index = this.#index;
    if (index === undefined) return this.#scan();
    this.#catchUp(index);
    if (index.lists.some(isSpent)) this.#fill(index);
    if (!this.#spread.active) return index.lists[0]?.top() ?? -1;
    return this.#spread.choose(index.lists.map(topOf), index.rows.keys);
  }

  /** The row's key; infinite when it cannot take the class now. */
  #keyNow(row: number): number {
    const key = this.#hostKey(row);
    if (this.#admission.onlyRoom || key === Number.POSITIVE_INFINITY) return key;
    return this.#admission.now(row) ? key : Number.POSITIVE_INFINITY;
  }

  #scan(): number {
    const tops = new Array<number>(this.#spread.domains).fill(-1);
    const keys = new Map<number, number>();
    for (const row of this.#members) {
      const key = this.#keyNow(row);
      if (key === Number.POSITIVE_INFINITY || !this.#admission.mayEver(row)) continue;
      const domain = this.#spread.domainOf(row);
      const top = tops[domain] ?? -1;
      if (top >= 0 && key >= (keys.get(top) ?? 0)) continue;
      tops[domain] = row;
      keys.set(row, key);
    }
    if (!this.#spread.active) return tops[0] ?? -1;
    return this.#spread.choose(tops, { at: (row) => keys.get(row) });
  }

  #build(): void {
    const size = this.#table.hosts.length;
    const eligible = this.#admission.anyRow ? this.#all() : this.#eligible();
    this.#table.followChanges();
    const rows = rowIndex(size);
    const lists = Array.from({ length: this.#spread.domains }, () => new ShortList(rows));
    this.#index = { rows, eligible, lists };
    this.#fill(this.#index);
  }

  #eligible(): Uint8Array {
    const eligible = new Uint8Array(this.#table.hosts.length);
    for (const row of this.#members) if (this.#admission.mayEver(row)) eligible[row] = 1;
    return eligible;
  }

  /** Most classes may use every host of the search: they share the answer. */
  #all(): Uint8Array {
    let all = wholeSearches.get(this.#members);
    if (all === undefined) {
      all = new Uint8Array(this.#table.hosts.length);
      for (const row of this.#members) all[row] = 1;
      wholeSearches.set(this.#members, all);
    }
    return all;
  }

  /** Looks at every host anew. */
  #fill({ rows, eligible, lists }: Index): void {
    const members = this.#members;
    const only = lists.length === 1 ? lists[0] : undefined;
    const found = only === undefined ? [] : this.#table.scratch;
    let count = 0;
    for (let m = 0; m < members.length; m += 1) {
      const row = members[m] as number;
      if (eligible[row] === 0) continue;
      const key = this.#keyNow(row);
      if (key === Number.POSITIVE_INFINITY) continue;
      rows.keys[row] = key;
      found[count] = row;
      count += 1;
    }
    if (only !== undefined) only.fill(this.#table.scratch.subarray(0, count));
    else this.#fillByDomain(lists, found as number[]);
    this.#groupStarted = this.#table.groupTotal(this.#cls.spec.group) > 0;
    this.#seen = this.#table.log.length;
  }

  #fillByDomain(lists: readonly ShortList[], rows: readonly number[]): void {
    const byDomain: number[][] = lists.map(() => []);
    for (const row of rows) byDomain[this.#spread.domainOf(row)]?.push(row);
    lists.forEach((list, at) => {
      list.fill(Int32Array.from(byDomain[at] ?? []));
    });
  }

  #catchUp(index: Index): void {
    const { log } = this.#table;
    const lastChange = this.#table.followChanges();
    if (this.#besideOwn && this.#groupStarted !== this.#table.groupTotal(this.#cls.spec.group) > 0) {
      this.#fill(index);
      return;
    }
    const { eligible, lists } = index;
    const only = lists.length === 1 ? lists[0] : undefined;
    for (let at = this.#seen; at < log.length; at += 1) {
      const row = log[at] as number;
      if (lastChange[row] !== at || eligible[row] === 0) continue;
      const list = only ?? lists[this.#spread.domainOf(row)];
      const key = this.#keyNow(row);
      if (key === Number.POSITIVE_INFINITY) list?.remove(row);
      else list?.update(row, key);
    }
    this.#seen = log.length;
  }
}

const isSpent = (list: ShortList): boolean => list.spent;
const topOf = (list: ShortList): number => list.top();

/** Order of the hosts within a domain, by the strategies that look at hosts one by one. */
function hostKeyOf(table: HostTable, cls: TaskClass): Score {
  const { group, placement } = cls.spec;
  const last = placement.strategies.find((strategy) => strategy.type !== 'spread');
  const score = scoreOf(table, cls, last);
  if (!placement.strategies.some(isHostSpread)) return score;
  const counts = table.groupCounts(group);
  return (row) => (counts[row] as number) * SCORE_CEILING + score(row);
}

function scoreOf(table: HostTable, cls: TaskClass, strategy: PlacementStrategy | undefined): Score {
  if (strategy?.type === 'random') return randomScore(table, cls, `${cls.spec.taskDefinition}|${cls.index}`);
  const field = strategy?.type === 'binpack' ? strategy.field : undefined;
  return field === undefined ? packingScore(table, cls) : fieldScore(table, cls, field);
}
