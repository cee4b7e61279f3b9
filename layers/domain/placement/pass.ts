import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { Candidates } from './candidates.ts';
import { HostTable, type Interest, looksAtTasks } from './hostTable.ts';
import { type Classes, classify, type TaskClass } from './taskClass.ts';
import { hostsOnOrder } from './virtualHosts.ts';

/** One pass's working state: the hosts as a table, the tasks as classes, and a search for each class. */
export class Pass {
  readonly table: HostTable;
  readonly classes: Classes;
  readonly #readySearch: (Candidates | undefined)[] = [];
  readonly #bootingSearch: (Candidates | undefined)[] = [];

  constructor(snapshot: Snapshot, tasks: readonly Task[], nowMs: number) {
    this.classes = classify(tasks);
    const onOrder = hostsOnOrder(snapshot);
    const hosts = onOrder.length === 0 ? snapshot.hosts : [...snapshot.hosts, ...onOrder];
    this.table = new HostTable(hosts, interestOf(this.classes), nowMs);
  }

  /** Books the best READY host and returns its row, or -1. */
  placeOnReady(cls: TaskClass, group: string): number {
    return this.#place(this.#readySearch, this.table.ready, cls, group);
  }

  /** Books the best host that boots or is on order and returns its row, or -1. */
  placeOnBooting(cls: TaskClass, group: string): number {
    return this.table.booting.length === 0
      ? -1
      : this.#place(this.#bootingSearch, this.table.booting, cls, group);
  }

  #place(searches: (Candidates | undefined)[], members: Int32Array, cls: TaskClass, group: string): number {
    let search = searches[cls.index];
    if (search === undefined) {
      search = new Candidates(this.table, cls, members);
      searches[cls.index] = search;
    }
    const row = search.best();
    if (row >= 0) this.table.book(row, cls, group);
    return row;
  }
}

function interestOf({ dimensions, classes }: Classes): Interest {
  const ports = new Set<string>();
  const groups = new Set<string>();
  let atTasks = false;
  for (const { spec } of classes) {
    for (const port of spec.hostPorts) ports.add(port);
    const { constraints, strategies } = spec.placement;
    for (const constraint of constraints) {
      if (constraint.type === 'memberOf') atTasks ||= looksAtTasks(constraint.expression);
      else groups.add(constraint.type === 'distinctInstance' ? spec.group : constraint.group);
    }
    if (strategies.some(({ type }) => type === 'spread')) groups.add(spec.group);
  }
  const demand = new Float64Array(dimensions.length);
  for (const cls of classes) {
    cls.dimensions.forEach((d, i) => {
      demand[d] = (demand[d] as number) + cls.remaining * (cls.amounts[i] as number);
    });
  }
  return { dimensions, demand, ports, groups, looksAtTasks: atTasks };
}
