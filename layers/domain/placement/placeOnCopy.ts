import type { PlacementPlan } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { looksAtTasks } from './hostTable.ts';
import { place } from './place.ts';

/**
 * Whether where the task may go depends on what runs on hosts, and not only on their room and on what they are. Claims are
 * guarded by room alone, so that such a task is placed on hosts as they are and not as they were.
 */
export const looksAtNeighbours = ({ spec: { placement } }: Task): boolean =>
  placement.gang !== undefined ||
  placement.strategies.some(({ type }) => type === 'spread') ||
  placement.constraints.some((rule) => rule.type !== 'memberOf' || looksAtTasks(rule.expression));

/** Whether a pass that saw all hosts has found no place for this attempt. */
export const hasBeenLookedAt = ({ reason }: Task): boolean =>
  reason.code === 'WAITING' && reason.explanation.hostsConsidered > 0;

/**
 * As `place`, for a snapshot whose hosts may have changed since they were read: it only places, by room and attributes.
 * Undefined when the pass has to see all hosts as they are: a task that no pass has looked for a place for finds none here,
 * or looks at its neighbours. What has been looked at is tried again and left to wait: whatever makes room for it brings a
 * pass of its own, on hosts that are read then. `roomCame`: this is such a pass.
 */
export function placeOnCopy(snapshot: Snapshot, nowMs: number, roomCame: boolean): PlacementPlan | undefined {
  const pending: Task[] = [];
  for (const task of snapshot.pending) {
    const isDue = task.notBefore === undefined || task.notBefore <= nowMs;
    if (!isDue || !looksAtNeighbours(task)) pending.push(task);
    else if (roomCame || !hasBeenLookedAt(task)) return undefined;
  }
  const hosts = snapshot.hosts.filter(({ state }) => state === 'READY');
  // Without hosts to come whatever finds no place is unmet.
  const plan = place({ ...snapshot, pending, hosts, openOrders: [] }, nowMs, { preempt: 'never' });
  const unmet = new Set(plan.unmet);
  if (pending.some((task) => unmet.has(task.taskId) && !hasBeenLookedAt(task))) return undefined;
  return { ...plan, unmet: [], waits: plan.waits.filter(({ taskId }) => !unmet.has(taskId)) };
}
