import type { HostPlacement, PlacementPlan } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { queueOf } from './order.ts';
import { Pass } from './pass.ts';
import type { TaskClass } from './taskClass.ts';
import { awaiting, Waits } from './waits.ts';

export interface PlaceOptions {
  /** Most attempts to stop for others in one pass; 0 turns preemption off. */
  readonly maxVictims?: number;
}

interface Queued {
  readonly task: Task;
  readonly cls: TaskClass;
}

/**
 * Decides where each pending task goes. Most urgent first, and a task that fits nowhere never holds up the next.
 * Only READY hosts take tasks; what they cannot hold is set against BOOTING hosts and open orders, and waits for them;
 * the rest is `unmet`. Pure: the same snapshot gives the same plan.
 */
export function place(snapshot: Snapshot, nowMs: number, _options: PlaceOptions = {}): PlacementPlan {
  const queue = queueOf(snapshot.pending, nowMs);
  const pass = new Pass(snapshot, queue.due);
  const placed = new Map<number, Task[]>();
  const left: Queued[] = [];
  queue.due.forEach((task, at) => {
    const cls = pass.classes.classOf[at];
    if (cls === undefined) return;
    const row = pass.placeOnReady(cls, task.spec.group);
    if (row < 0) left.push({ task, cls });
    else placed.get(row)?.push(task) ?? placed.set(row, [task]);
  });
  const { waits, unmet } = settleRest(pass, left);
  for (const task of queue.later) waits.addBackoff(task, nowMs);
  return {
    placements: hostPlacements(pass, placed),
    waits: waits.list,
    preemptions: [],
    unmet,
    ...(queue.wakeAt === undefined ? {} : { wakeAt: queue.wakeAt }),
  };
}

/** Sets what no READY host holds against hosts that are on their way. */
function settleRest(pass: Pass, left: readonly Queued[]): { waits: Waits; unmet: string[] } {
  const waits = new Waits(pass.table);
  const unmet: string[] = [];
  for (const { task, cls } of left) {
    const row = pass.placeOnBooting(cls, task.spec.group);
    if (row < 0) unmet.push(task.taskId);
    waits.add(
      task,
      cls,
      row < 0
        ? 'no host, booting ones included, can hold it: capacity is to be bought'
        : awaiting(pass.table, row),
    );
  }
  return { waits, unmet };
}

function hostPlacements(pass: Pass, placed: ReadonlyMap<number, readonly Task[]>): HostPlacement[] {
  const placements: HostPlacement[] = [];
  for (const [row, tasks] of placed) {
    const host = pass.table.hosts[row];
    if (host === undefined) continue;
    placements.push({
      hostId: host.hostId,
      epoch: host.epoch,
      tasks: tasks.map(({ taskId, attempt }) => ({ taskId, attempt })),
    });
  }
  return placements;
}
