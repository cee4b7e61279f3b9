import type { Task } from '../model/task.ts';

/** Higher priority first, then whoever has waited longest; the id settles ties so that input order never decides. */
export function byUrgency(a: Task, b: Task): number {
  return (
    b.spec.priority - a.spec.priority ||
    a.acceptedAt - b.acceptedAt ||
    a.ordinal - b.ordinal ||
    (a.taskId < b.taskId ? -1 : Number(a.taskId > b.taskId))
  );
}

export interface Queue {
  /** Due now, most urgent first. */
  readonly due: readonly Task[];
  /** Backing off. */
  readonly later: readonly Task[];
  /** When the first of `later` is due, epoch ms. */
  readonly wakeAt: number | undefined;
}

export function queueOf(pending: readonly Task[], nowMs: number): Queue {
  const due: Task[] = [];
  const later: Task[] = [];
  let wakeAt: number | undefined;
  for (const task of pending) {
    if (task.state !== 'PENDING') continue;
    if (task.notBefore === undefined || task.notBefore <= nowMs) {
      due.push(task);
      continue;
    }
    later.push(task);
    if (wakeAt === undefined || task.notBefore < wakeAt) wakeAt = task.notBefore;
  }
  return { due: due.sort(byUrgency), later, wakeAt };
}
