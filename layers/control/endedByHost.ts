import type { StopCause } from '../domain/model/reason.ts';
import type { Task } from '../domain/model/task.ts';
import type { ObservedTask } from '../ports/containers.ts';
import { SPOT_INTERRUPTED } from './hostReasons.ts';
import type { World } from './world.ts';

/** 128 + SIGTERM, and 128 + SIGKILL for what does not heed it: how a host that shuts down ends its containers. */
const SIGTERM = 143;
const SIGKILL = 137;
/** EC2's event of the shutdown may come after ECS's of the task, and its lists show one for some seconds as before. */
const TOLD_WITHIN_MS = 60_000;

/**
 * Whether a process that nobody asked to stop was ended by its host's shutdown, of which ECS says the same as of a process
 * that fails. `unclear` for one that SIGTERM ended a moment ago, on a host of which nothing is known yet: whoever sees that
 * leaves it, and `reconcile`, which asks EC2, comes back to it.
 */
export async function endedByHost(
  { store, clock }: Pick<World, 'store' | 'clock'>,
  task: Task,
  seen: ObservedTask,
): Promise<Extract<StopCause, 'HOST_LOST' | 'SPOT_INTERRUPTION'> | 'unclear' | undefined> {
  const signalled = seen.exitCode === SIGTERM || seen.exitCode === SIGKILL;
  if (seen.cause !== 'EXIT_NONZERO' || !signalled || task.stopRequested !== undefined) return undefined;
  const host = task.hostId === undefined ? undefined : await store.getHost(task.cluster, task.hostId);
  if (host?.stateReason === SPOT_INTERRUPTED) return 'SPOT_INTERRUPTION';
  if (host === undefined || host.state === 'TERMINATING') return 'HOST_LOST';
  const young = clock.now() - (seen.stoppedAt ?? 0) < TOLD_WITHIN_MS;
  return young && seen.exitCode === SIGTERM ? 'unclear' : undefined;
}
