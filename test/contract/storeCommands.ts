import fc from 'fast-check';
import { attemptToken } from '../../layers/domain/lifecycle/attemptToken.ts';
import type { Reason } from '../../layers/domain/model/reason.ts';
import type { ClaimRequest, Store } from '../../layers/ports/store.ts';
import { aBought, aCluster, aHost, anOrder, aPool, aTask, aTaskSpec } from '../support/records.ts';

/** One random call of the store's port, readable when it fails. */
export interface StoreCommand {
  readonly call: string;
  readonly args: readonly unknown[];
}

type Calls = { [Name in keyof Store]: fc.Arbitrary<Parameters<Store[Name]>> };

// Few ids, so that calls meet each other.
const taskId = fc.constantFrom('t1', 't2', 't3', 't4');
const hostId = fc.constantFrom('i-1', 'i-2', 'i-3');
const pool = fc.constantFrom('general', 'spot');
const cluster = fc.constant('prod');
const attempt = fc.constantFrom(1, 1, 1, 2, 2, 3);
const ref = fc.record({ taskId, attempt });
const heldRef = fc.record({ taskId: taskId.map((id) => `hold#${id}`), attempt });
const claimEnd = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: ref }, heldRef), fc.constantFrom(undefined, true))
  .map(([end, failedToStart]) => ({ ...end, ...(failedToStart && { failedToStart }) }));
const small = fc.integer({ min: 0, max: 4 });
const alarmTarget = fc
  .record({
    desiredHosts: fc.constantFrom(0, 1),
    alarms: fc.constantFrom(
      undefined,
      { load: { state: 'ALARM' as const, at: 1, hosts: 1 } },
      { load: { state: 'OK' as const, at: 2, hosts: 0 } },
    ),
  })
  .map(({ desiredHosts, alarms }) => ({ desiredHosts, ...(alarms && { alarms }) }));
const time = fc.integer({ min: 1, max: 1000 });
const ports = fc.subarray(['80/tcp', '53/udp'], { maxLength: 1 });
const demand = fc.record(
  { cpu: fc.constantFrom(0, 100, 400), memory: fc.constantFrom(100, 500), gpu: fc.constantFrom(0, 500) },
  { requiredKeys: ['memory'] },
);
const reason: fc.Arbitrary<Reason> = fc.constantFrom<Reason[]>(
  { code: 'PLACED', detail: 'fits' },
  { code: 'STOPPED', detail: 'exit 1', cause: 'EXIT_NONZERO' },
  {
    code: 'WAITING',
    detail: 'full',
    explanation: { hostsConsidered: 2, refusals: { cpu: 1, 'port 80/tcp': 1 }, next: 'buying' },
  },
);
const taskState = fc.constantFrom('BLOCKED', 'PENDING', 'PLACED', 'RUNNING', 'SUCCEEDED' as const);
const hostState = fc.constantFrom('BOOTING', 'READY', 'CORDONED', 'DRAINING', 'TERMINATING' as const);
const capacity = fc.record(
  { cpu: fc.constantFrom(300, 1000), memory: fc.constantFrom(600, 2000), gpu: fc.constant(1000) },
  { requiredKeys: ['cpu', 'memory'] },
);

const task = fc
  .record({
    taskId,
    priority: fc.integer({ min: -2, max: 2 }),
    acceptedAt: time,
    demand,
    ports,
    place: fc.constantFrom('BLOCKED', 'arriving', 'queue'),
  })
  .map(({ priority, demand, ports, place, ...rest }) =>
    aTask({
      ...rest,
      ...(place === 'BLOCKED' && { state: place }),
      ...(place === 'arriving' && { arriving: true }),
      spec: aTaskSpec({ priority, demand, hostPorts: ports }),
    }),
  );
const host = fc
  .record(
    {
      hostId,
      pool,
      capacity,
      state: fc.constantFrom('BOOTING', 'READY' as const),
      orderId: fc.constantFrom('o1', 'o2'),
    },
    { requiredKeys: ['hostId', 'pool', 'capacity', 'state'] },
  )
  .map((over) => aHost({ ...over, left: over.capacity }));
const claimed: fc.Arbitrary<ClaimRequest['tasks'][number]> = fc.record(
  {
    taskId,
    attempt,
    demand,
    hostPorts: ports,
    group: fc.constant('family:web'),
    priority: small,
    interruptible: fc.boolean(),
    source: fc.constantFrom('a1b2', 'c3d4'),
    constrained: fc.boolean(),
    cpuOvercommit: fc.constantFrom(1.5, 2),
    hold: fc.record({ demand, hostPorts: ports }),
    concurrency: fc.record({ key: fc.constantFrom('db', 'db', 'api'), max: fc.constantFrom(1, 2, 3) }),
  },
  { requiredKeys: ['taskId', 'attempt', 'demand', 'hostPorts', 'group', 'priority', 'interruptible'] },
);
const claimRequest: fc.Arbitrary<ClaimRequest> = fc.record({
  cluster,
  hostId,
  epoch: fc.constantFrom(0, 0, 0, 1),
  nowMs: time,
  reason,
  tasks: fc.uniqueArray(claimed, { minLength: 0, maxLength: 3, selector: (entry) => entry.taskId }),
});
const order = fc
  .record({ orderId: fc.constantFrom('o1', 'o2', 'o3'), pool, hosts: small })
  .map((over) => anOrder(over));
const shortage = fc.record({
  instanceType: fc.constantFrom('c6i.large', 'm6i.large'),
  zone: fc.constantFrom('a', 'b'),
  lifecycle: fc.constantFrom('spot', 'on-demand' as const),
  until: time,
  code: fc.constant('InsufficientInstanceCapacity'),
});

const calls: Calls = {
  acceptTask: fc.tuple(task),
  getTask: fc.tuple(taskId),
  getTasks: fc.tuple(fc.array(taskId, { maxLength: 5 })),
  listPending: fc.tuple(cluster, fc.integer({ min: 1, max: 5 })),
  listBlocked: fc.tuple(cluster, fc.integer({ min: 1, max: 5 })),
  addDependent: fc.tuple(taskId, fc.record({ taskId, expiresAt: time })),
  listDependents: fc.tuple(taskId),
  unblockTask: fc.tuple(taskId),
  queueTask: fc.tuple(taskId),
  noteArrivals: fc.tuple(
    fc.record({ at: small, taskIds: fc.uniqueArray(taskId, { minLength: 1, maxLength: 3 }) }).map((over) => ({
      cluster: 'prod',
      expiresAt: 9,
      ...over,
    })),
  ),
  listArrivals: fc.tuple(
    cluster,
    fc.record({ afterMs: small, untilMs: small }),
    fc.integer({ min: 1, max: 3 }),
  ),
  recordArrivalsSeen: fc.tuple(cluster, small),
  recordWait: fc.tuple(ref, reason),
  recordLaunch: fc.tuple(ref, fc.constantFrom('arn:1', 'arn:2')),
  recordLaunchUnknown: fc.tuple(ref, fc.constant('timed out')),
  recordRunning: fc.tuple(
    ref,
    fc.record({ ecsTaskArn: fc.constantFrom('arn:1', 'arn:2'), ecsVersion: small, startedAt: time }),
  ),
  finishTask: fc.tuple(
    ref,
    fc.record(
      {
        state: fc.constantFrom('SUCCEEDED', 'FAILED', 'CANCELLED' as const),
        ifState: fc.uniqueArray(taskState, { maxLength: 2 }),
        reason,
        endedAt: time,
        exitCode: small,
        ecsVersion: small,
      },
      { requiredKeys: ['state', 'reason', 'endedAt'] },
    ),
  ),
  requeueTask: fc.tuple(
    ref,
    fc.record(
      {
        cause: fc.constant('HOST_LOST' as const),
        reason,
        counted: fc.boolean(),
        notBefore: time,
        startsFailed: fc.record({ IMAGE_PULL: small }),
      },
      { requiredKeys: ['cause', 'reason', 'counted'] },
    ),
  ),
  requestStop: fc.tuple(
    taskId,
    fc.record({
      code: fc.constantFrom('CANCELLED', 'TIMEOUT', 'PREEMPTED' as const),
      detail: fc.constant('by test'),
    }),
    fc.option(attempt, { nil: undefined }),
  ),
  openArray: fc.tuple(
    fc.record({ arrayId: taskId, size: fc.constant(2) }).map((array) => ({
      ...array,
      cluster: 'prod',
      source: 'shop',
      idempotencyKey: 'key',
      createdAt: 1,
      expiresAt: 9,
    })),
  ),
  getArray: fc.tuple(taskId),
  // One end for each index, as an ended task stays as it ended.
  countArrayMember: fc.tuple(
    fc.record({ arrayId: taskId, index: fc.constantFrom(0, 1) }).map(({ arrayId, index }) => ({
      array: { arrayId, size: 2 },
      index,
      end: index === 0 ? ('succeeded' as const) : ('failed' as const),
      nowMs: 5,
      expiresAt: 9,
    })),
  ),
  listSeats: fc.tuple(cluster, fc.subarray(['db', 'api'])),
  freeSeats: fc.tuple(
    cluster,
    fc.constantFrom('db', 'api'),
    fc.uniqueArray(ref, { maxLength: 2, selector: attemptToken }),
  ),
  listHosts: fc.tuple(cluster, fc.option(fc.array(hostId, { maxLength: 3 }), { nil: undefined })),
  getHost: fc.tuple(cluster, hostId),
  addHost: fc.tuple(host),
  registerHost: fc.tuple(
    cluster,
    hostId,
    fc.record({
      containerInstanceArn: fc.constantFrom('arn:ci:1', 'arn:ci:2'),
      capacity,
      attributes: fc.constantFrom({}, { zone: 'a' }),
      ecsVersion: small,
      registeredAt: small,
    }),
  ),
  setHostState: fc.tuple(
    cluster,
    hostId,
    fc.record(
      {
        from: fc.uniqueArray(hostState, { maxLength: 4 }),
        to: hostState,
        reason: fc.constant('by test'),
        atMs: time,
        epoch: fc.constantFrom(0, 1),
        registeredAt: small,
        ifEmpty: fc.boolean(),
      },
      { requiredKeys: ['from', 'to', 'reason'] },
    ),
  ),
  claim: fc.tuple(claimRequest),
  holdPlace: fc.tuple(
    fc.record({
      cluster,
      hostId,
      epoch: fc.constantFrom(0, 0, 0, 1),
      nowMs: time,
      heir: fc.record({
        taskId,
        attempt,
        demand,
        hostPorts: ports,
        group: fc.constant('family:web'),
        priority: small,
      }),
      victims: fc.uniqueArray(ref, { maxLength: 2, selector: (entry) => entry.taskId }),
    }),
  ),
  releaseClaims: fc.tuple(cluster, hostId, fc.array(claimEnd, { maxLength: 4 }), time),
  removeHost: fc.tuple(cluster, hostId, fc.record({ ifEmpty: fc.boolean() })),
  getCluster: fc.tuple(cluster),
  listClusters: fc.tuple(),
  ensureCluster: fc.tuple(fc.constantFrom(aCluster({ cells: 2 }), aCluster({ name: 'test' }))),
  putPool: fc.tuple(
    fc
      .record(
        { name: pool, desiredHosts: small, hostUsdPerHour: small },
        { requiredKeys: ['name', 'desiredHosts'] },
      )
      .map((over) => aPool(over)),
  ),
  changePool: fc.tuple(cluster, pool, fc.record({ maxHosts: small })),
  setAlarmTarget: fc.tuple(cluster, pool, fc.record({ from: alarmTarget, to: alarmTarget })),
  recordDisruptions: fc.tuple(
    cluster,
    pool,
    fc.record({ from: fc.constantFrom([], [1], [1, 2]), to: fc.constantFrom([1], [1, 2]) }),
  ),
  recordIdleGaps: fc.tuple(cluster, pool, fc.array(small, { maxLength: 2 })),
  setWeight: fc.tuple(cluster, fc.constantFrom('shop', 'reports'), fc.constantFrom(1, 2, 0.5)),
  recordUsage: fc.tuple(
    cluster,
    fc.option(time, { nil: undefined }),
    fc.record({ at: time, bySource: fc.constantFrom({}, { a1b2: 0.5 }) }),
  ),
  setPaused: fc.tuple(cluster, fc.boolean(), small, fc.constantFrom(undefined, 'shop', 'reports.nightly')),
  openOrder: fc.tuple(order, fc.constantFrom(undefined, undefined, 'o1', 'o2', 'o3')),
  closeOrder: fc.tuple(
    cluster,
    pool,
    fc.constantFrom('o1', 'o2', 'o3'),
    fc.record({
      state: fc.constantFrom('DONE', 'FAILED' as const),
      bought: fc.constantFrom([], [aBought()]),
      errors: fc.constant([]),
    }),
  ),
  listOpenOrders: fc.tuple(cluster),
  listLastOrders: fc.tuple(cluster),
  rememberInsufficientCapacity: fc.tuple(cluster, fc.array(shortage, { maxLength: 3 })),
  listInsufficientCapacity: fc.tuple(cluster, time),
};

/** How often a call is drawn beside the others, each once: those whose guards meet other calls' effects. */
const weights: Partial<Record<keyof Store, number>> = {
  queueTask: 2,
  noteArrivals: 3,
  recordWait: 2,
  acceptTask: 4,
  addHost: 3,
  claim: 12,
  holdPlace: 5,
  releaseClaims: 6,
  recordRunning: 3,
  finishTask: 2,
  requeueTask: 4,
};

export const storeCommand: fc.Arbitrary<StoreCommand> = fc.oneof(
  ...Object.entries(calls).map(([call, args]) => ({
    weight: weights[call as keyof Store] ?? 1,
    arbitrary: (args as fc.Arbitrary<readonly unknown[]>).map((given) => ({ call, args: given })),
  })),
);

/** Carries a command out and returns what it answered, errors included. */
export async function perform(store: Store, { call, args }: StoreCommand): Promise<unknown> {
  const method = store[call as keyof Store] as (...given: readonly unknown[]) => Promise<unknown>;
  try {
    return await method(...args);
  } catch (error) {
    return { threw: error instanceof Error ? error.name : String(error) };
  }
}
