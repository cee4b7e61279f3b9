import { type AttemptEnd, endOfAttempt } from '../domain/lifecycle/endOfAttempt.ts';
import type { Task } from '../domain/model/task.ts';
import { type DependencyWorld, endTask } from './dependencies.ts';
import { atOnce, type Release } from './releases.ts';
import type { World } from './world.ts';

export interface Settled {
  /** Whether this call changed the task; false when someone else had settled the attempt. */
  readonly applied: boolean;
  readonly requeued: boolean;
}

/**
 * Records the end of a task's current attempt, known dead, and then gives its claim back. The claim goes last: it is
 * what leads `reconcile` to the task when this is cut off in between. With a `release` of its own the caller gives it
 * back, with those of others.
 */
export async function settleAttempt(
  world: Pick<World, 'metrics'> & DependencyWorld,
  task: Task,
  end: AttemptEnd,
  seen: {
    readonly startedAt?: number;
    readonly endedAt?: number;
    readonly ecsTaskArn?: string;
    readonly ecsVersion?: number;
  } = {},
  release: Release = atOnce(world),
): Promise<Settled> {
  const { store, clock, metrics } = world;
  const now = clock.now();
  const decision = endOfAttempt(task, end, now);
  let applied: boolean;
  if (decision.kind === 'finish') {
    const finished = await endTask(world, task, {
      state: decision.state,
      ifState: ['PLACED', 'RUNNING'],
      reason: decision.reason,
      endedAt: seen.endedAt ?? now,
      ...(seen.startedAt !== undefined && task.startedAt === undefined && { startedAt: seen.startedAt }),
      ...(end.exitCode !== undefined && { exitCode: end.exitCode }),
      ...(seen.ecsTaskArn !== undefined && { ecsTaskArn: seen.ecsTaskArn }),
      ...(seen.ecsVersion !== undefined && { ecsVersion: seen.ecsVersion }),
    });
    applied = finished.outcome === 'applied';
  } else {
    applied = (await store.requeueTask(task, decision)).outcome === 'applied';
  }
  if (applied) metrics.count('AttemptsEnded', 1, { cause: end.cause });
  await release(task, end.cause === 'LAUNCH_FAILED');
  return { applied, requeued: applied && decision.kind === 'requeue' };
}
