import type { Task } from '../domain/model/task.ts';
import { concurrently } from './concurrently.ts';
import type { World } from './world.ts';

export type TimeoutWorld = Pick<World, 'store' | 'containers' | 'clock' | 'bus'>;

/** SQS's longest delay: a deadline beyond it is watched by `reconcile`, which asks for the wake when it comes near. */
const LONGEST_WAKE_MS = 900_000;
/** A wake comes early by the skew of two clocks; any earlier one was about something else. */
const EARLY_MS = 10_000;
const STOPS_AT_ONCE = 10;

/** When the attempt has run too long, epoch ms: counted from the start of its process. */
export const deadlineOf = (task: Task, startedAt = task.startedAt): number | undefined =>
  task.spec.timeoutSeconds === undefined || startedAt === undefined
    ? undefined
    : startedAt + task.spec.timeoutSeconds * 1000;

/** Asks for a pass at the attempt's deadline, so that it is stopped then and not at the next `reconcile`. */
export async function wakeAtDeadline(
  world: Pick<TimeoutWorld, 'bus' | 'clock'>,
  task: Task,
  deadline: number | undefined,
  withinMs = LONGEST_WAKE_MS,
): Promise<void> {
  if (deadline === undefined) return;
  const delayMs = Math.max(1, deadline - world.clock.now());
  if (delayMs > withinMs) return;
  await world.bus.wake(task.cluster, 'a timeout', {
    taskIds: [task.taskId],
    changedHosts: [],
    delayMs,
  });
}

/** Marks an attempt that has run too long; what it returns is the request on record, to be carried out. */
export async function requestTimeout(
  world: Pick<TimeoutWorld, 'store'>,
  task: Task,
): Promise<Task['stopRequested']> {
  const detail = `it ran for more than its ${task.spec.timeoutSeconds} s`;
  const asked = await world.store.requestStop(task.taskId, { code: 'TIMEOUT', detail }, task.attempt);
  return asked.current?.attempt === task.attempt ? asked.current.stopRequested : undefined;
}

/** Of the tasks that a wake is about: stops those that run too long. */
export async function enforceTimeouts(world: TimeoutWorld, tasks: readonly Task[]): Promise<void> {
  const running = tasks.filter(
    (task) => task.state === 'RUNNING' && task.ecsTaskArn !== undefined && task.stopRequested === undefined,
  );
  await concurrently(running, STOPS_AT_ONCE, async (task) => {
    const deadline = deadlineOf(task);
    if (deadline === undefined) return;
    if (world.clock.now() < deadline) return wakeAtDeadline(world, task, deadline, EARLY_MS);
    const request = await requestTimeout(world, task);
    if (request) await world.containers.stop(task.cluster, task.ecsTaskArn as string, request.detail);
  });
}
