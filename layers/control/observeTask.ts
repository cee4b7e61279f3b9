import { isTerminal } from '../domain/model/task.ts';
import type { ObservedTask } from '../ports/containers.ts';
import { endedByHost } from './endedByHost.ts';
import { fenceOrphan, isUnproven } from './fenceHost.ts';
import type { Observation, ObserveWorld } from './observation.ts';
import { atOnce, type Release } from './releases.ts';
import { settleAttempt } from './settleAttempt.ts';
import { deadlineOf, wakeAtDeadline } from './timeouts.ts';

/**
 * Applies what ECS says of one task. Idempotent, and indifferent to order: older versions and older attempts change
 * nothing. An attempt that runs although the task has left it behind is stopped. `release` gives an ended attempt's claim
 * back, or sees to it that that is done.
 */
export async function observeTask(
  world: ObserveWorld,
  seen: ObservedTask,
  release: Release = atOnce(world),
): Promise<Observation> {
  const { store, containers, log, metrics } = world;
  if (!seen.ref) return 'ignored';
  const task = await store.getTask(seen.ref.taskId);
  if (!task || task.cluster !== seen.cluster) {
    metrics.count('UnknownTasks');
    return 'ignored';
  }
  const stopped = seen.lastStatus === 'STOPPED';
  if (task.attempt !== seen.ref.attempt || isTerminal(task.state)) {
    // Whoever recorded this end may have been cut off before its claim was given back.
    if (stopped && task.attempt === seen.ref.attempt) await release(task);
    if (stopped || seen.desiredStatus === 'STOPPED') return 'ignored';
    log.warn('An attempt runs that its task has left behind: stopping it', {
      taskId: task.taskId,
      attempt: seen.ref.attempt,
      current: task.attempt,
      state: task.state,
    });
    metrics.count('StrayAttempts');
    await containers.stop(seen.cluster, seen.ecsTaskArn, 'Berth: superseded attempt');
    return 'ignored';
  }
  if (task.state === 'PENDING') {
    // Only PLACED attempts are launched, so that this one was put back after its launch was refused.
    return 'ignored';
  }
  if (stopped) {
    const fenced = seen.mayRunOn ? await fenceOrphan(world, task) : undefined;
    if (fenced !== undefined) return fenced;
    const byHost = await endedByHost(world, task, seen);
    if (byHost === 'unclear' || (await isUnproven(world, task, seen))) return 'ignored';
    const detail = seen.detail ?? 'ECS gave no reason';
    const end = {
      cause: byHost ?? seen.cause ?? ('UNKNOWN' as const),
      detail: byHost === undefined ? detail : `${detail} as its host was shut down`,
      ...(seen.exitCode !== undefined && { exitCode: seen.exitCode }),
    };
    const facts = {
      ecsTaskArn: seen.ecsTaskArn,
      ecsVersion: seen.version,
      ...(seen.startedAt !== undefined && { startedAt: seen.startedAt }),
      ...(seen.stoppedAt !== undefined && { endedAt: seen.stoppedAt }),
    };
    await settleAttempt(world, task, end, facts, release);
    return 'freed';
  }
  if (seen.lastStatus !== 'RUNNING' && task.ecsTaskArn !== undefined) return 'ignored';
  const recorded =
    seen.lastStatus === 'RUNNING'
      ? await store.recordRunning(task, {
          ecsTaskArn: seen.ecsTaskArn,
          ecsVersion: seen.version,
          startedAt: seen.startedAt ?? world.clock.now(),
        })
      : await store.recordLaunch(task, seen.ecsTaskArn);
  if (recorded.current?.stopRequested && seen.desiredStatus !== 'STOPPED') {
    await containers.stop(seen.cluster, seen.ecsTaskArn, recorded.current.stopRequested.detail);
  }
  if (recorded.outcome === 'refused') return 'ignored';
  await wakeAtDeadline(world, task, deadlineOf(recorded.current));
  return 'recorded';
}
