import { strictExpression } from '../domain/isolation/capability.ts';
import { demandOf, unknownContainers } from '../domain/lifecycle/demand.ts';
import type { Pool } from '../domain/model/pool.ts';
import type { TaskSpec } from '../domain/model/task.ts';
import { NOT_OVERCOMMITTED } from '../domain/placement/overcommit.ts';
import type { Problem } from '../events/problem.ts';
import type { TaskRequest } from '../events/taskRequested/parse.ts';
import type { Definitions, TaskDefinition } from '../ports/containers.ts';
import { type Dependencies, lookAtDependencies } from './lookAtDependencies.ts';
import { taskIdOf } from './taskId.ts';
import type { World } from './world.ts';

export type PrepareWorld = Pick<World, 'store'> & { readonly containers: Definitions };

export interface Origin {
  readonly source: string;
  readonly idempotencyKey: string;
}

/** A request that nothing is wrong with: what its tasks will be. Nothing of it is on record. */
export interface Prepared {
  readonly outcome: 'prepared';
  readonly request: TaskRequest;
  readonly origin: Origin;
  /** By ordinal. */
  readonly ids: readonly string[];
  /** Of each task, but for what it waits for. */
  readonly spec: TaskSpec;
  readonly dependencies: Pick<Dependencies, 'waits' | 'afterOf'>;
}

export interface Rejected {
  readonly outcome: 'rejected';
  readonly problems: readonly Problem[];
}

/** Checks a request against its cluster, its task definition and what it waits for, and pins it to them as they are now. */
export async function prepareRequest(
  { store, containers }: PrepareWorld,
  request: TaskRequest,
  origin: Origin,
): Promise<Prepared | Rejected> {
  const [cluster, definition] = await Promise.all([
    store.getCluster(request.cluster),
    containers.describeTaskDefinition(request.taskDefinition),
  ]);
  if (!cluster) return rejected(await unknownCluster(store, request));
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
  const dependencies = await lookAtDependencies({ store }, request, ids);
  if (dependencies.problems.length > 0) return rejected(...dependencies.problems);
  const array = request.array ? { arrayId: ids[0] as string, size: request.count } : undefined;
  const spec = { ...specOf(request, definition, cluster.pools), ...(array !== undefined && { array }) };
  return { outcome: 'prepared', request, origin, ids, spec, dependencies };
}

const rejected = (...problems: Problem[]): Rejected => ({ outcome: 'rejected', problems });

async function unknownCluster(store: World['store'], request: TaskRequest): Promise<Problem> {
  const known = await store.listClusters();
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
