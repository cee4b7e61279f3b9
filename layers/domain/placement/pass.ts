import type { Host } from '../model/host.ts';
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
  readonly #ready: Int32Array;
  readonly #booting: Int32Array;
  readonly #readySearch: (Candidates | undefined)[] = [];
  readonly #bootingSearch: (Candidates | undefined)[] = [];

  constructor(snapshot: Snapshot, tasks: readonly Task[]) {
    this.classes = classify(tasks);
    const onOrder = hostsOnOrder(snapshot.openOrders);
    const present = snapshot.hosts.filter((host) => host.state !== 'TERMINATING');
    const hosts = onOrder.length === 0 ? present : [...present, ...onOrder];
    this.table = new HostTable(hosts, interestOf(this.classes));
    this.#ready = rowsIn(hosts, 'READY');
    this.#booting = rowsIn(hosts, 'BOOTING');
  }

  /** Books the best READY host and returns its row, or -1. */
  placeOnReady(cls: TaskClass, group: string): number {
    return this.#place(this.#readySearch, this.#ready, cls, group);
  }

  /** Books the best host that boots or is on order and returns its row, or -1. */
  placeOnBooting(cls: TaskClass, group: string): number {
    return this.#booting.length === 0 ? -1 : this.#place(this.#bootingSearch, this.#booting, cls, group);
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

function rowsIn(hosts: readonly Host[], state: Host['state']): Int32Array {
  const rows = new Int32Array(hosts.length);
  let count = 0;
  hosts.forEach((host, row) => {
    if (host.state !== state) return;
    rows[count] = row;
    count += 1;
  });
  return rows.subarray(0, count);
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
  return { dimensions, ports, groups, looksAtTasks: atTasks };
}
