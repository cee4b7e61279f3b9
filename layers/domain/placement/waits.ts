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

/** How what is said begins of a task whose room is bought or booting; what comes is told behind it. */
export const ON_ITS_WAY = 'capacity is on its way';

/**
 * Whether one account of what happens next says something else than another. Which host is coming, how many, and how many
 * seconds are left, changes with every host of a burst and is no news: each waiting task would be written anew at every pass.
 */
export const isOtherNews = (known: string, next: string): boolean => gistOf(known) !== gistOf(next);

const gistOf = (next: string): string =>
  next.startsWith(ON_ITS_WAY) ? ON_ITS_WAY : next.replace(/\bi-[0-9a-f]+\b|\d+(\.\d+)?/g, '#');

/** What a task waits for whose room is on a host that is not up yet. */
export function awaiting(table: HostTable, row: number): string {
  const host = table.hosts[row];
  if (host === undefined) return 'waiting for a host';
  const what = isOnOrder(host)
    ? `1 x ${host.instanceType} is asked of EC2 in ${host.zone}, order ${host.orderId}`
    : `host ${host.hostId} (${host.instanceType}, ${host.zone}) is booting and has room for it`;
  return `${ON_ITS_WAY}: ${what}`;
}
