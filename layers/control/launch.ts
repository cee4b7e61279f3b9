import { LAUNCH_ENVIRONMENT } from '../domain/isolation/profile.ts';
import { attemptToken } from '../domain/lifecycle/attemptToken.ts';
import { backoffMs } from '../domain/lifecycle/backoff.ts';
import { NOT_ESSENTIAL } from '../domain/lifecycle/stopCause.ts';
import type { ContainerOverride, Task } from '../domain/model/task.ts';
import { asideCpu } from '../domain/placement/overcommit.ts';
import type { LaunchOutcome, TaskDefinition } from '../ports/containers.ts';
import { type DependencyWorld, endTask } from './dependencies.ts';
import { atOnce } from './releases.ts';
import type { World } from './world.ts';

export type LaunchWorld = Pick<World, 'containers' | 'log' | 'metrics'> & DependencyWorld;

/**
 * What a launch leaves to do: `done`, `again` (the same call, later) or `replace` (the task is back in the queue).
 */
export type LaunchResult = 'done' | 'again' | 'replace';

export const refOf = (task: Task): string => attemptToken(task);

/** Refusals that speak of the host and not of the moment: nothing more is placed there until it shows itself well. */
const hostRefusals = new Set(['AGENT', 'MISSING', 'INACTIVE']);

/** Every container carries the task's identity and profile, from which the host's agent knows what to enforce. */
export function overridesOf(task: Task, definition: TaskDefinition): ContainerOverride[] {
  const byName = new Map(task.spec.containers.map((override) => [override.name, override]));
  const identity: Record<string, string> = {
    [LAUNCH_ENVIRONMENT.taskId]: task.taskId,
    [LAUNCH_ENVIRONMENT.attempt]: String(task.attempt),
    [LAUNCH_ENVIRONMENT.isolation]: JSON.stringify(task.spec.isolation),
    ...(task.spec.array !== undefined && { [LAUNCH_ENVIRONMENT.arrayIndex]: String(task.ordinal) }),
    ...(task.spec.timeoutSeconds !== undefined && {
      [LAUNCH_ENVIRONMENT.timeoutSeconds]: String(task.spec.timeoutSeconds),
    }),
  };
  // A definition with CPU of its own caps the task at it: that is not made less (see `accept`).
  const factor = definition.cpuUnits === undefined ? task.cpuOvercommit : undefined;
  return definition.containers.map(({ name, essential, cpuUnits }) => {
    const given = byName.get(name) ?? { name };
    const override =
      factor === undefined ? given : { ...given, cpu: asideCpu(given.cpu ?? cpuUnits, factor) };
    const mark = essential ? {} : { [NOT_ESSENTIAL]: '1' };
    return { ...override, environment: { ...override.environment, ...identity, ...mark } };
  });
}

/**
 * Launches a PLACED task's attempt on the host it has claimed. Repeating it is safe at any time: ECS answers the same
 * token with the same task. A stop that was asked for meanwhile is carried out as soon as there is something to stop.
 */
export async function launchTask(world: LaunchWorld, task: Task): Promise<LaunchResult> {
  const { store, containers, metrics } = world;
  const hostId = task.hostId;
  if (task.state !== 'PLACED' || hostId === undefined) return 'done';
  const definition = await containers.describeTaskDefinition(task.spec.taskDefinition);
  const outcome: LaunchOutcome = definition
    ? await containers.launch({
        cluster: task.cluster,
        taskDefinitionArn: task.spec.taskDefinition,
        hostId,
        clientToken: refOf(task),
        startedBy: refOf(task),
        group: task.spec.group,
        containers: overridesOf(task, definition),
        tags: task.spec.tags,
      })
    : {
        outcome: 'impossible',
        code: 'INACTIVE',
        detail: `The task definition ${task.spec.taskDefinition} is no longer active: register it again and submit anew.`,
      };
  metrics.count('Launches', 1, { outcome: outcome.outcome });
  switch (outcome.outcome) {
    case 'launched': {
      const recorded = await store.recordLaunch(task, outcome.ecsTaskArn);
      if (recorded.outcome === 'applied' && recorded.current.stopRequested) {
        await containers.stop(task.cluster, outcome.ecsTaskArn, recorded.current.stopRequested.detail);
      }
      return 'done';
    }
    case 'throttled':
      return 'again';
    case 'unknown':
      await store.recordLaunchUnknown(
        task,
        `ECS did not answer (${outcome.detail}); the same call is repeated`,
      );
      return 'again';
    case 'refused':
      await refuse(world, task, hostId, outcome);
      return 'replace';
    case 'impossible':
      await endTask(world, task, {
        state: 'FAILED',
        ifState: ['PLACED'],
        endedAt: world.clock.now(),
        reason: { code: 'IMPOSSIBLE', detail: `${outcome.code}: ${outcome.detail}` },
      });
      await atOnce(world)(task);
      return 'done';
  }
}

/** ECS has made no task for this token and never will: the attempt is over, and its capacity given back last. */
async function refuse(
  world: LaunchWorld,
  task: Task,
  hostId: string,
  { code, detail }: Extract<LaunchOutcome, { outcome: 'refused' }>,
): Promise<void> {
  const { store, clock, log } = world;
  log.warn('ECS refused a launch', { taskId: task.taskId, attempt: task.attempt, hostId, code, detail });
  const now = clock.now();
  if (hostRefusals.has(code)) {
    await store.setHostState(task.cluster, hostId, {
      from: ['READY'],
      to: 'CORDONED',
      reason: `ECS refused a launch: ${code}`,
    });
  }
  if (task.stopRequested?.code === 'CANCELLED') {
    await endTask(world, task, {
      state: 'CANCELLED',
      ifState: ['PLACED'],
      endedAt: now,
      reason: { code: 'STOPPED', cause: 'CANCELLED', detail: task.stopRequested.detail },
    });
  } else {
    const waitMs = backoffMs(Math.max(1, task.attempt - task.attemptsUsed), task.taskId);
    await store.requeueTask(task, {
      cause: 'LAUNCH_FAILED',
      counted: false,
      notBefore: now + waitMs,
      reason: {
        code: 'BACKOFF',
        cause: 'LAUNCH_FAILED',
        detail: `${hostId} refused the launch: ${code} ${detail}`.trim(),
      },
    });
  }
  await atOnce(world)(task, true);
}
