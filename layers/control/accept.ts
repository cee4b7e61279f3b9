import { strictExpression } from '../domain/isolation/capability.ts';
import { demandOf, unknownContainers } from '../domain/lifecycle/demand.ts';
import type { ArrayRef, TaskArray } from '../domain/model/array.ts';
import type { Pool } from '../domain/model/pool.ts';
import type { Task, TaskSpec } from '../domain/model/task.ts';
import { NOT_OVERCOMMITTED } from '../domain/placement/overcommit.ts';
import type { Problem } from '../events/problem.ts';
import type { TaskRequest } from '../events/taskRequested/parse.ts';
import type { Wakes } from '../ports/bus.ts';
import type { Definitions, TaskDefinition } from '../ports/containers.ts';
import { concurrently } from './concurrently.ts';
import { settleBlocked } from './dependencies.ts';
import { lookAtDependencies } from './lookAtDependencies.ts';
import { taskIdOf } from './taskId.ts';
import type { World } from './world.ts';

export type AcceptWorld = Pick<World, 'store' | 'clock' | 'metrics'> & {
  readonly bus: Wakes;
  readonly containers: Definitions;
};

/** Outlives every retry, redrive and replay window: 14 days of queue retention, twice over, and some. */
const RECORD_DAYS = 45;
const PUTS_AT_ONCE = 16;
/** As many ids as a wake carries; the queue's index shows the rest in a moment. */
const MAX_HINTS = 100;
export type Acceptance =
  | { readonly outcome: 'accepted'; readonly tasks: readonly Task[]; readonly duplicates: number }
  | { readonly outcome: 'rejected'; readonly problems: readonly Problem[] };

/**
 * Records a request as tasks, each exactly once per (source, key, ordinal), and wakes the scheduler. A repeat joins the
 * tasks on record and wakes it again, as the first call may have been cut off before it did.
 */
export async function acceptRequest(
  world: AcceptWorld,
  request: TaskRequest,
  origin: { readonly source: string; readonly idempotencyKey: string },
): Promise<Acceptance> {
  const { store, containers, bus, metrics } = world;
  const [cluster, definition] = await Promise.all([
    store.getCluster(request.cluster),
    containers.describeTaskDefinition(request.taskDefinition),
  ]);
  if (!cluster) return rejected(await unknownCluster(world, request));
  const problems = definition
    ? misfits(
        request,
        definition,
        cluster.pools.map(({ name }) => name),
      )
    : [noDefinition(request)];
  if (!definition || problems.length > 0) return rejected(...problems);

  const ids = Array.from({ length: request.count }, (_, ordinal) =>
    taskIdOf(origin.source, origin.idempotencyKey, ordinal),
  );
  const { waits, afterOf, problems: unmet } = await lookAtDependencies(world, request, ids);
  if (unmet.length > 0) return rejected(...unmet);

  const array = request.array ? { arrayId: ids[0] as string, size: request.count } : undefined;
  const spec = { ...specOf(request, definition, cluster.pools), ...(array !== undefined && { array }) };
  if (array !== undefined) await store.openArray(newArray(world, request, origin, array));
  const tasks: Task[] = [];
  let duplicates = 0;
  const ordinals = Array.from({ length: request.count }, (_, ordinal) => ordinal);
  await concurrently(ordinals, PUTS_AT_ONCE, async (ordinal) => {
    const after = afterOf(ordinal);
    const task = newTask(world, request, origin, { ...spec, after }, ordinal);
    // Before the record, so that no end can be missed: see `endTask`.
    for (const { taskId } of waits ? after : []) await store.addDependent(taskId, task);
    const result = await store.acceptTask(
      waits ? { ...task, state: 'BLOCKED', reason: blockedReason(after.length) } : task,
    );
    if (result.outcome === 'duplicate') duplicates += 1;
    tasks[ordinal] = result.task;
  });
  metrics.count('TasksAccepted', request.count - duplicates, { cluster: request.cluster });
  metrics.count('TasksDuplicate', duplicates, { cluster: request.cluster });
  // What they wait for may have ended since it was read, or an earlier call have been cut off here.
  if (request.after.length > 0) await settleBlocked(world, tasks);
  const pending = tasks.filter((task) => task.state === 'PENDING');
  if (pending.length > 0) {
    await bus.wake(request.cluster, 'tasks accepted', {
      taskIds: pending.slice(0, MAX_HINTS).map((task) => task.taskId),
    });
  }
  return { outcome: 'accepted', tasks, duplicates };
}

const blockedReason = (count: number) =>
  ({
    code: 'BLOCKED',
    detail: `waits for ${count === 1 ? 'another task' : `${count} tasks`} to end`,
  }) as const;

const rejected = (...problems: Problem[]): Acceptance => ({ outcome: 'rejected', problems });

async function unknownCluster(world: AcceptWorld, request: TaskRequest): Promise<Problem> {
  const known = await world.store.listClusters();
  return {
    field: 'cluster',
    rule: `The cluster must be one that Berth manages, and "${request.cluster}" is none.`,
    fix: known.length > 0 ? `Use one of: ${known.join(', ')}.` : 'Declare it in BERTH_CLUSTERS and deploy.',
  };
}

const noDefinition = (request: TaskRequest): Problem => ({
  field: 'taskDefinition',
  rule: `The task definition must be active in ECS, and there is none called "${request.taskDefinition}".`,
  fix: 'Register it with aws ecs register-task-definition, or correct the name.',
});

/** What only the task definition and the cluster can tell of a request. */
function misfits(request: TaskRequest, definition: TaskDefinition, pools: readonly string[]): Problem[] {
  const problems: Problem[] = unknownContainers(definition, request.containers).map((name) => ({
    field: `containers[${request.containers.findIndex((override) => override.name === name)}].name`,
    rule: `An override must name a container of ${definition.family}:${definition.revision}, and "${name}" is none.`,
    fix: `Use one of: ${definition.containers.map((container) => container.name).join(', ')}.`,
  }));
  const { pool, gang } = request.placement;
  if (gang !== undefined && request.concurrency !== undefined && request.concurrency.max < gang.size) {
    problems.push({
      field: 'concurrency.max',
      rule: `A gang of ${gang.size} starts together, and concurrency allows ${request.concurrency.max} of its members at a time.`,
      fix: `Raise max to ${gang.size} or more, or leave the gang out.`,
    });
  }
  if (pool !== undefined && !pools.includes(pool)) {
    problems.push({
      field: 'placement.pool',
      rule: `The pool must be one of ${request.cluster}, and "${pool}" is none.`,
      fix: `Use one of: ${pools.join(', ')}.`,
    });
  }
  return problems;
}

const specOf = (request: TaskRequest, definition: TaskDefinition, pools: readonly Pool[]): TaskSpec => ({
  taskDefinition: definition.arn,
  family: definition.family,
  group: request.group ?? `family:${definition.family}`,
  containers: request.containers,
  demand: demandOf(definition, request.containers),
  hostPorts: definition.containers.flatMap((container) => container.hostPorts),
  placement: {
    ...request.placement,
    // ECS holds every launch to them: what the planner does not know of it would only be refused.
    constraints: [
      ...request.placement.constraints,
      ...[
        ...(definition.memberOf ?? []),
        ...keptOff(definition, pools),
        ...[strictExpression(request.isolation) ?? []].flat(),
      ].map((expression) => ({
        type: 'memberOf' as const,
        expression,
      })),
    ],
  },
  priority: request.priority,
  retry: request.retry,
  ...(request.timeoutSeconds !== undefined && { timeoutSeconds: request.timeoutSeconds }),
  isolation: request.isolation,
  interruptible: request.interruptible,
  after: [],
  ...(request.concurrency !== undefined && { concurrency: request.concurrency }),
  tags: request.tags,
});

/** What ECS sets aside for a definition with CPU of its own is also what the task may use at most: it cannot be less. */
const keptOff = ({ cpuUnits }: TaskDefinition, pools: readonly Pool[]): string[] =>
  cpuUnits !== undefined && pools.some(({ cpuOvercommit = 1 }) => cpuOvercommit > 1)
    ? [NOT_OVERCOMMITTED]
    : [];

/** On record before its members, so that each finds it when it ends. */
const newArray = (
  world: AcceptWorld,
  request: TaskRequest,
  { source, idempotencyKey }: { readonly source: string; readonly idempotencyKey: string },
  array: ArrayRef,
): TaskArray => {
  const createdAt = world.clock.now();
  return {
    ...array,
    cluster: request.cluster,
    source,
    idempotencyKey,
    createdAt,
    expiresAt: expiryOf(createdAt),
  };
};

const expiryOf = (nowMs: number): number => Math.floor(nowMs / 1000) + RECORD_DAYS * 86_400;

function newTask(
  world: AcceptWorld,
  request: TaskRequest,
  origin: { readonly source: string; readonly idempotencyKey: string },
  spec: TaskSpec,
  ordinal: number,
): Task {
  const now = world.clock.now();
  return {
    taskId: taskIdOf(origin.source, origin.idempotencyKey, ordinal),
    cluster: request.cluster,
    source: origin.source,
    idempotencyKey: origin.idempotencyKey,
    ordinal,
    spec,
    state: 'PENDING',
    attempt: 1,
    attemptsUsed: 0,
    acceptedAt: now,
    reason: { code: 'ACCEPTED', detail: 'on record; the next pass places it' },
    expiresAt: expiryOf(now),
  };
}
