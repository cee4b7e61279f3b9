import type { TaskArray } from '../domain/model/array.ts';
import type { Task } from '../domain/model/task.ts';
import type { TaskRequest } from '../events/taskRequested/parse.ts';
import type { Wakes } from '../ports/bus.ts';
import { concurrently } from './concurrently.ts';
import { settleBlocked } from './dependencies.ts';
import {
  type Origin,
  type Prepared,
  type PrepareWorld,
  prepareRequest,
  type Rejected,
} from './prepareRequest.ts';
import type { World } from './world.ts';

export type AcceptWorld = PrepareWorld & Pick<World, 'store' | 'clock' | 'metrics'> & { readonly bus: Wakes };

/** Outlives every retry, redrive and replay window: 14 days of queue retention, twice over, and some. */
const RECORD_DAYS = 45;
/** `reconcile` looks at an arrival within minutes, or whenever it runs again. */
const ARRIVAL_DAYS = 14;
const PUTS_AT_ONCE = 16;
/** So many of a request's tasks go beside the queue and are named in its wake; the others go into the queue at once. */
const MAX_HINTS = 100;

/** The tasks of a request as they are on record, whoever put them there. */
export interface Accepted {
  readonly outcome: 'accepted';
  readonly tasks: readonly Task[];
  readonly duplicates: number;
}
export type Acceptance = Accepted | Rejected;

/**
 * Records a request as tasks, each exactly once per (source, key, ordinal), and wakes the scheduler. A repeat joins the
 * tasks on record and wakes it again, as the first call may have been cut off before it did.
 */
export async function acceptRequest(
  world: AcceptWorld,
  request: TaskRequest,
  origin: Origin,
): Promise<Acceptance> {
  const prepared = await prepareRequest(world, request, origin);
  if (prepared.outcome === 'rejected') return prepared;
  const [result] = await acceptTogether(world, [prepared]);
  if (result?.outcome === 'accepted') return result;
  throw result?.error;
}

/** Nothing is known of a request's tasks but that it may be repeated. */
export interface Failed {
  readonly outcome: 'failed';
  readonly error: unknown;
}

/**
 * The same for requests of one cluster, in their order. An arrival names their tasks before any is on record: a task that
 * the pass of its wake places at once is never in the queue's index, which would cost two writes, and one whose wake is
 * lost is found by its arrival (`reconcileArrivals`). A request that fails does not touch the others.
 */
export async function acceptTogether(
  world: AcceptWorld,
  requests: readonly Prepared[],
  hasTime: () => boolean = () => true,
): Promise<(Accepted | Failed)[]> {
  try {
    await noteArrival(world, requests);
  } catch (error) {
    return requests.map(() => ({ outcome: 'failed', error }));
  }
  const results: (Accepted | Failed)[] = [];
  for (const request of requests) {
    try {
      if (!hasTime()) throw new Error('The invocation has no time left for it');
      results.push(await putAndWake(world, request));
    } catch (error) {
      results.push({ outcome: 'failed', error });
    }
  }
  return results;
}

async function noteArrival({ store, clock }: AcceptWorld, requests: readonly Prepared[]): Promise<void> {
  const taskIds = requests.flatMap(({ ids, dependencies }) =>
    dependencies.waits ? [] : ids.slice(0, MAX_HINTS),
  );
  const [first] = requests;
  if (first === undefined || taskIds.length === 0) return;
  const at = clock.now();
  await store.noteArrivals({
    cluster: first.request.cluster,
    at,
    taskIds,
    expiresAt: expiryOf(at, ARRIVAL_DAYS),
  });
}

async function putAndWake(world: AcceptWorld, prepared: Prepared): Promise<Accepted> {
  const { store, metrics } = world;
  const { request, spec, dependencies } = prepared;
  const { waits, afterOf } = dependencies;
  if (spec.array !== undefined) await store.openArray(newArray(world, prepared, spec.array));
  const tasks: Task[] = [];
  let duplicates = 0;
  await concurrently([...prepared.ids.keys()], PUTS_AT_ONCE, async (ordinal) => {
    const after = afterOf(ordinal);
    const task = newTask(world, prepared, ordinal);
    // Before the record, so that no end can be missed: see `endTask`.
    for (const { taskId } of waits ? after : []) await store.addDependent(taskId, task);
    const result = await store.acceptTask(task);
    if (result.outcome === 'duplicate') duplicates += 1;
    tasks[ordinal] = result.task;
  });
  metrics.count('TasksAccepted', request.count - duplicates, { cluster: request.cluster });
  metrics.count('TasksDuplicate', duplicates, { cluster: request.cluster });
  // What they wait for may have ended since it was read, or an earlier call have been cut off here.
  if (request.after.length > 0) await settleBlocked(world, tasks);
  const taskIds = tasks.filter(({ state }) => state === 'PENDING').map(({ taskId }) => taskId);
  if (taskIds.length > 0) {
    await world.bus.wake(request.cluster, 'tasks accepted', {
      taskIds: taskIds.slice(0, MAX_HINTS),
      changedHosts: [],
    });
  }
  return { outcome: 'accepted', tasks, duplicates };
}

/** On record before its members, so that each finds it when it ends. */
const newArray = (
  world: AcceptWorld,
  { request, origin }: Prepared,
  array: NonNullable<Task['spec']['array']>,
): TaskArray => {
  const createdAt = world.clock.now();
  return {
    ...array,
    ...origin,
    cluster: request.cluster,
    createdAt,
    expiresAt: expiryOf(createdAt, RECORD_DAYS),
  };
};

const expiryOf = (nowMs: number, days: number): number => Math.floor(nowMs / 1000) + days * 86_400;

function newTask(world: AcceptWorld, prepared: Prepared, ordinal: number): Task {
  const { request, origin, ids, spec, dependencies } = prepared;
  const now = world.clock.now();
  const after = dependencies.afterOf(ordinal);
  const beside = ordinal < MAX_HINTS && { arriving: true as const };
  return {
    ...origin,
    taskId: ids[ordinal] as string,
    cluster: request.cluster,
    ordinal,
    spec: { ...spec, after },
    ...(dependencies.waits
      ? { state: 'BLOCKED', reason: blockedReason(after.length) }
      : { state: 'PENDING', ...beside, reason: acceptedReason }),
    attempt: 1,
    attemptsUsed: 0,
    acceptedAt: now,
    expiresAt: expiryOf(now, RECORD_DAYS),
  };
}

const acceptedReason = { code: 'ACCEPTED', detail: 'on record; the next pass places it' } as const;

const blockedReason = (count: number) =>
  ({
    code: 'BLOCKED',
    detail: `waits for ${count === 1 ? 'another task' : `${count} tasks`} to end`,
  }) as const;
