import { isTerminal, type Task } from '../../domain/model/task.ts';
import type { Containers } from '../../ports/containers.ts';
import { type DependencyWorld, endTask } from '../dependencies.ts';

export type Cancellation =
  | { readonly outcome: 'cancelled'; readonly task: Task }
  /** Its attempt is being stopped; it is cancelled when ECS says that it has stopped. */
  | { readonly outcome: 'stopping'; readonly task: Task }
  | { readonly outcome: 'ended'; readonly task: Task }
  | { readonly outcome: 'unknown' };

/** Ends a task in whatever state it is, and tells which way that takes. Idempotent. */
export async function cancelTask(
  world: DependencyWorld & { readonly containers: Pick<Containers, 'stop'> },
  taskId: string,
  detail: string,
): Promise<Cancellation> {
  const { store, containers, clock } = world;
  // The task may move between the read and the write: each round reads it as the refusing write found it.
  for (let round = 0; round < 5; round += 1) {
    const task = await store.getTask(taskId);
    if (!task) return { outcome: 'unknown' };
    if (isTerminal(task.state)) return { outcome: 'ended', task };
    if (task.state === 'PENDING' || task.state === 'BLOCKED') {
      const finished = await endTask(world, task, {
        state: 'CANCELLED',
        ifState: ['PENDING', 'BLOCKED'],
        endedAt: clock.now(),
        reason: { code: 'STOPPED', cause: 'CANCELLED', detail },
      });
      if (finished.outcome === 'applied') return { outcome: 'cancelled', task: finished.current };
      continue;
    }
    const asked = await store.requestStop(taskId, { code: 'CANCELLED', detail });
    const current = asked.current ?? task;
    if (isTerminal(current.state) || current.state === 'PENDING' || current.state === 'BLOCKED') continue;
    // Without an ARN the launch is still open: whoever records it finds the request and stops the task then.
    if (current.ecsTaskArn !== undefined) await containers.stop(task.cluster, current.ecsTaskArn, detail);
    return { outcome: 'stopping', task: current };
  }
  throw new Error(`Task ${taskId} changed five times while it was being cancelled: try again.`);
}
