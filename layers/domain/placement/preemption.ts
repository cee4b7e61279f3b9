import type { Preemption } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { Admission } from './admission.ts';
import type { HostTable } from './hostTable.ts';
import { RowHeap, type RowIndex, rowIndex } from './rowHeap.ts';
import type { TaskClass } from './taskClass.ts';
import { cheapestVictims, type Victim, type VictimSet, victimsOn } from './victims.ts';
import { hostsOnOrder } from './virtualHosts.ts';

export interface PreemptionBudget {
  /** Attempts stopped in one pass, and of one group. */
  readonly maxVictims: number;
  readonly maxVictimsPerGroup: number;
}

interface Search {
  readonly heap: RowHeap;
  readonly keys: RowIndex;
  readonly admission: Admission;
  seen: number;
}

/**
 * Chooses what to stop so that more urgent tasks fit: interruptible claims of lower priority, fewest and cheapest first.
 * Within one class and priority the hosts are compared once, and again only where something changed.
 */
export class Preemptor {
  readonly #table: HostTable;
  readonly #nowMs: number;
  readonly #budget: PreemptionBudget;
  readonly #victims = new Map<number, Victim[]>();
  readonly #searches = new Map<TaskClass, Map<number, Search>>();
  readonly #stoppedByGroup = new Map<string, number>();
  #stopped = 0;

  constructor(table: HostTable, budget: PreemptionBudget, nowMs: number) {
    this.#table = table;
    this.#budget = budget;
    this.#nowMs = nowMs;
  }

  /** The cheapest preemption that lets the task run, booked in the table; undefined when there is none within budget. */
  preempt(task: Task, cls: TaskClass): Preemption | undefined {
    if (this.#stopped >= this.#budget.maxVictims) return undefined;
    const search = this.#searchFor(cls, task.spec.priority);
    this.#catchUp(search, cls, task.spec.priority);
    const row = search.heap.top();
    if (row < 0) return undefined;
    const set = this.#setOn(row, cls, task.spec.priority);
    const host = this.#table.hosts[row];
    if (set === undefined || host === undefined || !this.#withinBudget(set)) return undefined;
    this.#carryOut(row, set);
    this.#table.book(row, cls, task.spec.group);
    return {
      taskId: task.taskId,
      attempt: task.attempt,
      hostId: host.hostId,
      epoch: host.epoch,
      victims: disturbedBy(set).map(({ claim }) => ({ taskId: claim.taskId, attempt: claim.attempt })),
    };
  }

  #withinBudget(set: VictimSet): boolean {
    const victims = disturbedBy(set);
    if (this.#stopped + victims.length > this.#budget.maxVictims) return false;
    return victims.every(
      ({ claim }) => (this.#stoppedByGroup.get(claim.group) ?? 0) < this.#budget.maxVictimsPerGroup,
    );
  }

  #carryOut(row: number, { victims }: VictimSet): void {
    const gone = new Set(victims);
    this.#victims.set(
      row,
      this.#victimsOn(row).filter((victim) => !gone.has(victim)),
    );
    for (const { claim, frees, gpus } of victims) {
      this.#table.free(row, frees, gpus);
      if (claim.stopping === true) continue;
      this.#stopped += 1;
      this.#stoppedByGroup.set(claim.group, (this.#stoppedByGroup.get(claim.group) ?? 0) + 1);
    }
  }

  #victimsOn(row: number): Victim[] {
    let victims = this.#victims.get(row);
    if (victims === undefined) {
      victims = victimsOn(this.#table, row);
      this.#victims.set(row, victims);
    }
    return victims;
  }

  #setOn(row: number, cls: TaskClass, priority: number): VictimSet | undefined {
    const open = this.#victimsOn(row).filter(
      ({ claim }) =>
        claim.stopping === true ||
        (this.#stoppedByGroup.get(claim.group) ?? 0) < this.#budget.maxVictimsPerGroup,
    );
    return cheapestVictims(this.#table, row, cls, priority, open, this.#nowMs);
  }

  #searchFor(cls: TaskClass, priority: number): Search {
    const byPriority = this.#searches.get(cls) ?? new Map<number, Search>();
    this.#searches.set(cls, byPriority);
    let search = byPriority.get(priority);
    if (search === undefined) {
      this.#table.followChanges();
      const keys = rowIndex(this.#table.hosts.length);
      const admission = new Admission(this.#table, cls);
      search = { heap: new RowHeap(keys), keys, admission, seen: this.#table.log.length };
      byPriority.set(priority, search);
      for (const row of this.#table.ready) this.#look(search, row, cls, priority);
    }
    return search;
  }

  #catchUp(search: Search, cls: TaskClass, priority: number): void {
    const { log } = this.#table;
    const lastChange = this.#table.followChanges();
    for (let at = search.seen; at < log.length; at += 1) {
      const row = log[at] as number;
      if (lastChange[row] === at) this.#look(search, row, cls, priority);
    }
    search.seen = log.length;
  }

  #look({ heap, admission }: Search, row: number, cls: TaskClass, priority: number): void {
    const possible =
      this.#table.hosts[row]?.state === 'READY' && admission.mayEver(row) && admission.neighboursAllow(row);
    const set = possible ? this.#setOn(row, cls, priority) : undefined;
    if (set === undefined) heap.remove(row);
    else heap.set(row, set.cost);
  }
}

const disturbedBy = ({ victims }: VictimSet): Victim[] =>
  victims.filter(({ claim }) => claim.stopping !== true);

/** Whether no pool that the task may use can still grow: then stopping others is the only way to make room. */
export function cannotGrow(snapshot: Snapshot): (task: Task) => boolean {
  const have = new Map<string, number>();
  for (const { pool, state } of [...snapshot.hosts, ...hostsOnOrder(snapshot)]) {
    if (state !== 'TERMINATING') have.set(pool, (have.get(pool) ?? 0) + 1);
  }
  const full = new Map(
    snapshot.cluster.pools.map(({ name, maxHosts }) => [name, (have.get(name) ?? 0) >= maxHosts]),
  );
  return ({ spec }) => {
    const { pool } = spec.placement;
    return pool === undefined ? [...full.values()].every(Boolean) : (full.get(pool) ?? true);
  };
}
