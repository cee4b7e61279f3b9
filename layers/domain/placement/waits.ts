import type { Wait } from '../model/plan.ts';
import type { WaitExplanation } from '../model/reason.ts';
import type { Task } from '../model/task.ts';
import { cappedWords } from './caps.ts';
import { explain, isOnOrder } from './explain.ts';
import type { HostTable } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

/** Explains waiting tasks, looking at the hosts once for each class. */
export class Waits {
  readonly list: Wait[] = [];
  readonly #table: HostTable;
  readonly #findings = new Map<TaskClass, Omit<WaitExplanation, 'next'>>();
  readonly #explanations = new Map<TaskClass, Map<string, WaitExplanation>>();

  constructor(table: HostTable) {
    this.#table = table;
  }

  add(task: Task, cls: TaskClass, next: string): void {
    this.list.push({ taskId: task.taskId, attempt: task.attempt, explanation: this.#explain(cls, next) });
  }

  #explain(cls: TaskClass, next: string): WaitExplanation {
    let byNext = this.#explanations.get(cls);
    if (byNext === undefined) {
      byNext = new Map();
      this.#explanations.set(cls, byNext);
      this.#findings.set(cls, explain(this.#table, cls));
    }
    let explanation = byNext.get(next);
    const findings = this.#findings.get(cls);
    if (explanation === undefined && findings !== undefined) {
      explanation = { ...findings, next };
      byNext.set(next, explanation);
    }
    return explanation ?? { hostsConsidered: 0, refusals: {}, next };
  }

  /** No look at the hosts: none of them matters. */
  addCapped(task: Task): void {
    this.list.push({
      taskId: task.taskId,
      attempt: task.attempt,
      explanation: { hostsConsidered: 0, refusals: {}, next: cappedWords(task) },
    });
  }

  addBackoff(task: Task, nowMs: number): void {
    const seconds = Math.ceil(((task.notBefore ?? nowMs) - nowMs) / 1000);
    this.list.push({
      taskId: task.taskId,
      attempt: task.attempt,
      explanation: { hostsConsidered: 0, refusals: {}, next: `backing off: tried again in ${seconds} s` },
    });
  }
}

/** What a task waits for whose room is on a host that is not up yet. */
export function awaiting(table: HostTable, row: number): string {
  const host = table.hosts[row];
  if (host === undefined) return 'waiting for a host';
  if (isOnOrder(host)) return `order ${host.orderId}: 1 x ${host.instanceType} asked of EC2 in ${host.zone}`;
  return `host ${host.hostId} (${host.instanceType}, ${host.zone}) is booting and has room for it`;
}
