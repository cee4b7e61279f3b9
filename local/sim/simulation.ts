import { isTerminal } from '../../layers/domain/model/task.ts';
import { virtualClock } from '../engine/testClock.ts';
import { Accounts, chargeOf } from './accounts.ts';
import { Announcements } from './announcements.ts';
import { behave } from './behaviour.ts';
import { Checker, type Violation } from './checker.ts';
import { type Cloud, createCloud } from './cloud.ts';
import { type ControlPlane, createControlPlane } from './controlPlane.ts';
import { driveActions } from './driver.ts';
import { judgeEnding } from './ending.ts';
import { calm, type FaultRates } from './faultRates.ts';
import { createMemoryStore } from './memoryStore.ts';
import { CLUSTER } from './plan.ts';
import { type Random, seededRandom } from './random.ts';
import { RoomWatch } from './roomInvariant.ts';
import type { SimOptions } from './simOptions.ts';
import { keepTrace, noTrace } from './trace.ts';

export interface SimResult {
  readonly violations: readonly Violation[];
  readonly trace: readonly string[];
  /** Port calls made: how many points there are to crash at. */
  readonly points: number;
  /** Of virtual time, until everything had come to rest. */
  readonly endedAfterMs: number;
  /** Of all instances, USD: what EC2 charges and what the records of those that ended account for. */
  readonly cost: { readonly charged: number; readonly accounted: number };
  /** Every instance from its launch to its end or the run's, ms since the start. */
  readonly lives: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** When a process of each task first started, ms since the start. */
  readonly firstStarts: ReadonlyMap<string, number>;
  /** How each task ended: state, attempts used and exit code, by id. */
  readonly ends: Readonly<Record<string, string>>;
}

const START_MS = Date.UTC(2026, 0, 1);
/** How long after the storm everything has to have come to rest. */
const REST_LIMIT_MS = 3 * 3_600_000;
const REST_STEP_MS = 10_000;
/** More of the same helps nobody. */
const MAX_VIOLATIONS = 10;

/** Runs a plan through the real handlers in virtual time. Everything that may vary follows from the seed. */
export async function simulate(options: SimOptions): Promise<SimResult> {
  const { seed, plan } = options;
  const clock = virtualClock(START_MS);
  const trace = options.traced === true ? keepTrace(() => clock.now()) : noTrace;
  const random = (name: string): Random => seededRandom(seed, name);
  const stormUntil = START_MS + plan.stormMs;
  const rates = (): FaultRates => (clock.now() < stormUntil ? options.rates : calm);
  const violations: Violation[] = [];
  const report = (violation: Violation): void => {
    trace.note(() => `VIOLATION ${violation.invariant}: ${violation.detail}`);
    if (violations.length < MAX_VIOLATIONS) violations.push(violation);
  };
  const cancelled = new Set<string>();
  const accounts = new Accounts();

  const staleDice = random('index');
  const store = createMemoryStore({ isStale: () => staleDice.chance(rates().staleIndex) });
  let cloud: Cloud;
  const checker = new Checker({
    now: () => clock.now() - START_MS,
    nowMs: () => clock.now(),
    tables: store.tables,
    cloud: () => cloud,
    maxHosts: () => plan.pool.maxHosts,
    wasCancelled: (taskId) => cancelled.has(taskId),
    report,
  });
  let live = 0;
  store.tables.onTaskWritten = (before, after) => {
    if (before === undefined) live += 1;
    if (isTerminal(after.state) && before !== undefined && !isTerminal(before.state)) live -= 1;
    trace.note(
      () =>
        `task ${after.taskId} ${after.state} attempt ${after.attempt} on ${after.hostId ?? '-'}: ${after.reason.detail}`,
    );
    checker.taskWritten(before, after);
    plane.taskWritten(after);
  };
  store.tables.onHostWritten = (before, after) => {
    trace.note(() => hostLine(before?.hostId, after));
    checker.hostWritten(before, after);
    plane.hostWritten(before, after);
    if (before !== undefined && after === undefined) accounts.hostRemoved(before, clock.now());
  };
  store.tables.onOrderWritten = (order) => plane.orderWritten(order);

  let plane: ControlPlane;
  cloud = await createCloud({
    clock,
    random,
    rates,
    ...(plan.types !== undefined && { types: plan.types }),
    behave,
    emit: (event) => {
      checker.instancesChanged();
      trace.note(() => `event ${event['detail-type']} ${JSON.stringify(briefly(event.detail))}`);
      plane.emit(event);
    },
    onTerminate: (hostId) => checker.terminating(hostId),
    onStart: (process) => {
      trace.note(() => `process ${process.taskId}:${process.attempt} starts on ${process.hostId}`);
      checker.processStarted(process);
    },
    onExit: (process) =>
      trace.note(
        () =>
          `process ${process.taskId}:${process.attempt} on ${process.hostId} exits with ${process.exitCode}`,
      ),
  });
  const announcements = options.announced === true ? new Announcements() : undefined;
  const told = announcements === undefined ? {} : { announcements };
  plane = createControlPlane({ clock, random, rates, trace, store, cloud, plan, ...pick(options), ...told });
  await store.ensureCluster({ name: CLUSTER, cells: plan.cells ?? 1, paused: false, pools: [plan.pool] });
  const expected = plan.requests.reduce((sum, { count }) => sum + count, 0);
  const atRest = (): boolean =>
    clock.now() > stormUntil &&
    store.tables.tasks.size >= expected &&
    live === 0 &&
    cloud.processes.hosts.instanceIds.length === 0 &&
    [...store.tables.hosts.values()].every((hosts) => hosts.size <= desiredOf(store)) &&
    cloud.ecs.liveTasks().length === 0;
  const driven = { clock, plan, plane, cloud, random, rates, checker, store, cancelled, startMs: START_MS };
  driveActions({ ...driven, atRest });

  await clock.run(stormUntil);
  const lastEndMs = plan.requests.reduce(
    (at, { atMs, behaviour: { runMs = 0 } }) => Math.max(at, atMs + runMs),
    0,
  );
  const limit = Math.max(stormUntil, START_MS + lastEndMs) + REST_LIMIT_MS;
  const rooms = new RoomWatch();
  while (!(atRest() && plane.idle()) && clock.now() < limit && violations.length === 0) {
    plane.redrive();
    const wait = rooms.look(store.tables, CLUSTER, clock.now());
    if (wait !== undefined) report({ ...wait, invariant: 'roomUsed', atMs: clock.now() - START_MS });
    await clock.advance(REST_STEP_MS);
  }
  const endedAfterMs = clock.now() - START_MS;
  if (violations.length === 0) {
    const ending = {
      plan,
      tables: store.tables,
      cloud,
      desiredHosts: desiredOf(store),
      now: endedAfterMs,
      accounts,
      skewMs: options.rates.clockSkewMs,
    };
    for (const violation of judgeEnding({ ...ending, ...told, waiting: plane.waiting() })) report(violation);
  }
  const ends = [...store.tables.tasks.values()].map((task) => [
    task.taskId,
    // A cancelled task has an exit code or none by the moment at which the cancellation met it.
    `${task.state} ${task.attemptsUsed} ${task.state === 'CANCELLED' ? '' : (task.exitCode ?? '-')}`,
  ]);
  return {
    violations,
    trace: trace.lines,
    points: plane.points(),
    endedAfterMs,
    cost: {
      charged: [...cloud.machines.instances.values()].reduce(
        (sum, instance) => sum + chargeOf(instance, clock.now()),
        0,
      ),
      accounted: accounts.usd,
    },
    lives: [...cloud.machines.instances.values()].map(({ launchedAt, endedAt }) => ({
      fromMs: launchedAt - START_MS,
      toMs: (endedAt ?? clock.now()) - START_MS,
    })),
    firstStarts: new Map(
      [...cloud.processes.byTask].flatMap(([taskId, [first]]) =>
        first === undefined ? [] : [[taskId, first.startedAt - START_MS]],
      ),
    ),
    ends: Object.fromEntries(ends),
  };
}

const pick = ({ decorators, crash }: SimOptions): Pick<SimOptions, 'decorators' | 'crash'> => ({
  ...(decorators !== undefined && { decorators }),
  ...(crash !== undefined && { crash }),
});

function desiredOf(store: {
  readonly tables: {
    readonly pools: ReadonlyMap<string, { readonly desiredHosts: number; readonly minHosts: number }>;
  };
}): number {
  return [...store.tables.pools.values()].reduce(
    (sum, { desiredHosts, minHosts }) => sum + Math.max(desiredHosts, minHosts),
    0,
  );
}

const hostLine = (
  hostId: string | undefined,
  host:
    | {
        readonly hostId: string;
        readonly state: string;
        readonly stateReason: string;
        readonly claims: object;
        readonly left: object;
      }
    | undefined,
): string =>
  host === undefined
    ? `host ${hostId} removed`
    : `host ${host.hostId} ${host.state} (${host.stateReason}) left ${JSON.stringify(host.left)} claims ${Object.keys(host.claims).join(' ')}`;

/** The few fields of an event that a reader of a trace looks for. */
function briefly(detail: unknown): object {
  const { startedBy, lastStatus, desiredStatus, version, ec2InstanceId, status, agentConnected, state } =
    detail as Record<string, unknown>;
  const instanceId = (detail as Record<string, unknown>)['instance-id'];
  return {
    startedBy,
    lastStatus,
    desiredStatus,
    version,
    ec2InstanceId,
    status,
    agentConnected,
    instanceId,
    state,
  };
}
