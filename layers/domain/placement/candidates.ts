import type { PlacementStrategy } from '../model/task.ts';
import { Admission } from './admission.ts';
import type { HostTable } from './hostTable.ts';
import { RowHeap, type RowIndex, rowIndex } from './rowHeap.ts';
import { fieldScore, packingScore, SCORE_CEILING, seededScore } from './score.ts';
import { isHostSpread, SpreadRules } from './spreadRules.ts';
import type { TaskClass } from './taskClass.ts';

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
  readonly #hostKey: (row: number) => number;
  /** Rows that may ever take the class, and the heap index; undefined while the class is too small to need them. */
  #index: { readonly rows: RowIndex; readonly eligible: Uint8Array; readonly heaps: RowHeap[] } | undefined;
  readonly #members: Int32Array;
  #seen = 0;

  constructor(table: HostTable, cls: TaskClass, members: Int32Array) {
    this.#table = table;
    this.#cls = cls;
    this.#members = members;
    this.#admission = new Admission(table, cls);
    this.#hostKey = hostKeyOf(table, cls);
    this.#spread = new SpreadRules(table, cls, (row) => this.#admission.mayEver(row), members);
    if (cls.remaining >= HEAP_FROM_TASKS) this.#build();
  }

  /** The best host's row, or -1. */
  best(): number {
    if (this.#index === undefined) return this.#scan();
    this.#catchUp(this.#index);
    const { heaps } = this.#index;
    if (!this.#spread.active) return heaps[0]?.top() ?? -1;
    return this.#spread.choose(
      heaps.map((heap) => heap.top()),
      this.#index.rows.keys,
    );
  }

  #scan(): number {
    const tops = new Array<number>(this.#spread.domains).fill(-1);
    const keys = new Map<number, number>();
    for (const row of this.#members) {
      if (!this.#admission.now(row) || !this.#admission.mayEver(row)) continue;
      const domain = this.#spread.domainOf(row);
      const key = this.#hostKey(row);
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
    const rows = rowIndex(size);
    const eligible = new Uint8Array(size);
    const heaps = Array.from({ length: this.#spread.domains }, () => new RowHeap(rows));
    for (const row of this.#members) {
      if (!this.#admission.mayEver(row)) continue;
      eligible[row] = 1;
      if (this.#admission.now(row)) heaps[this.#spread.domainOf(row)]?.append(row, this.#hostKey(row));
    }
    for (const heap of heaps) heap.order();
    this.#index = { rows, eligible, heaps };
    this.#seen = this.#table.log.length;
  }

  #catchUp(index: { readonly eligible: Uint8Array; readonly heaps: RowHeap[] }): void {
    const { log } = this.#table;
    if (this.#cls.spec.placement.constraints.some(({ type }) => type === 'affinity')) {
      // The first member of a group changes what every other host answers.
      if (log.length > this.#seen) this.#build();
      return;
    }
    let previous = -1;
    for (let at = this.#seen; at < log.length; at += 1) {
      const row = log[at] as number;
      if (row === previous || index.eligible[row] === 0) continue;
      previous = row;
      const heap = index.heaps[this.#spread.domainOf(row)];
      if (this.#admission.now(row)) heap?.set(row, this.#hostKey(row));
      else heap?.remove(row);
    }
    this.#seen = log.length;
  }
}

/** Order of the hosts within a domain, by the strategies that look at hosts one by one. */
function hostKeyOf(table: HostTable, cls: TaskClass): (row: number) => number {
  const { group, placement } = cls.spec;
  const last = placement.strategies.find((strategy) => strategy.type !== 'spread');
  const score = scoreOf(table, cls, last);
  const evenly = placement.strategies.some(isHostSpread);
  return evenly ? (row) => table.groupCount(row, group) * SCORE_CEILING + score(row) : score;
}

function scoreOf(
  table: HostTable,
  cls: TaskClass,
  strategy: PlacementStrategy | undefined,
): (row: number) => number {
  if (strategy?.type === 'random') {
    const seed = `${cls.spec.taskDefinition}|${cls.index}`;
    return (row) => seededScore(seed, table.hosts[row]?.hostId ?? '', table.log.length);
  }
  const field = strategy?.type === 'binpack' ? strategy.field : undefined;
  if (field !== undefined) return (row) => fieldScore(table, row, cls, field);
  return (row) => packingScore(table, row, cls);
}
