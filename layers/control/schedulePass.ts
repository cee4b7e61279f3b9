import { planScaleIn } from '../domain/capacity/scaleIn.ts';
import { type Claim, type Host, sourceTag } from '../domain/model/host.ts';
import type { HostPlacement, PlacementPlan } from '../domain/model/plan.ts';
import type { Reason } from '../domain/model/reason.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import type { Task } from '../domain/model/task.ts';
import { isConstrained } from '../domain/placement/constrained.ts';
import { setAside } from '../domain/placement/overcommit.ts';
import { whyPenalised } from '../domain/placement/penalty.ts';
import { place } from '../domain/placement/place.ts';
import type { Wakes } from '../ports/bus.ts';
import type { ClaimRequest } from '../ports/store.ts';
import { concurrently } from './concurrently.ts';
import { endTask } from './dependencies.ts';
import { IdleGaps } from './idleGaps.ts';
import { launchTask } from './launch.ts';
import { carryOutPreemptions, mendHolds, settleHolds } from './preempt.ts';
import { recordWaits } from './recordWaits.ts';
import { retireHosts } from './retire.ts';
import { clearSeats } from './seats.ts';
import { loadSnapshot } from './snapshot.ts';
import { enforceTimeouts } from './timeouts.ts';
import { recordUsage } from './usage.ts';
import type { World } from './world.ts';

export type PassWorld = Pick<World, 'store' | 'containers' | 'clock' | 'log' | 'metrics'> & {
  readonly bus: Wakes;
};

/** DynamoDB takes 100 items a transaction, one of which is the host. */
const MAX_ITEMS_PER_CLAIM = 99;
const CLAIMS_AT_ONCE = 8;
const LAUNCHES_AT_ONCE = 10;
/** How soon a launch that was throttled or not answered is tried again. */
const RELAUNCH_MS = 1_000;
/** How soon a pass whose claims all lost plans anew. */
const STALE_WAIT_MS = 1_000;

/** What a pass did, for its log line and for tests. */
export interface PassReport {
  readonly placed: number;
  readonly launched: number;
  readonly waiting: number;
  readonly unmet: number;
  readonly stale: number;
  readonly relaunch: number;
  readonly preempted: number;
}

const nothing: PassReport = {
  placed: 0,
  launched: 0,
  waiting: 0,
  unmet: 0,
  stale: 0,
  relaunch: 0,
  preempted: 0,
};

/**
 * One pass over one cluster: finish launches that were left open, place what fits, record why the rest waits, ask for
 * capacity, give idle hosts back. Everything it writes is guarded, so that passes may overlap and may be cut off
 * anywhere; what was left is found again by the wake that follows or by `reconcile`. `gaps` is what the process has
 * observed of idle hosts so far.
 */
export async function schedulePass(
  world: PassWorld,
  clusterName: string,
  taskIds: readonly string[],
  gaps: IdleGaps = new IdleGaps(),
): Promise<PassReport> {
  const { store, bus, log, metrics, clock } = world;
  const cluster = await store.getCluster(clusterName);
  if (!cluster) {
    log.warn('A wake names a cluster that is not on record', { cluster: clusterName });
    metrics.count('UnknownCluster');
    return nothing;
  }
  const loaded = await loadSnapshot(world, cluster, taskIds);
  const { hinted } = loaded;
  const held = await settleHolds(world, await withoutCancelled(world, loaded.snapshot));
  const { snapshot } = held;
  const planned: PlacementPlan = cluster.paused
    ? { placements: [], waits: [], preemptions: [], unmet: [] }
    : place(snapshot, clock.now());
  const plan: PlacementPlan = cluster.paused
    ? planned
    : {
        ...planned,
        placements: [...held.placements, ...planned.placements],
        waits: [...held.waits, ...planned.waits],
      };
  const byId = new Map([...snapshot.pending, ...held.heirs].map((task) => [task.taskId, task]));

  // Capacity first: buying takes longest, and nothing below decides otherwise about it.
  if (plan.unmet.length > 0) {
    await bus.provision(clusterName, `${plan.unmet.length} tasks fit no host`, {
      taskIds: plan.unmet.slice(0, 100),
    });
  }

  await clearSeats(store, clusterName, loaded.emptySeats);
  const unfinished = hinted.filter((task) => task.state === 'PLACED' && task.ecsTaskArn === undefined);
  await enforceTimeouts(world, hinted);
  const applied = await claimAndLaunch(world, snapshot, plan, { byId, holds: held.holds }, unfinished);
  applied.stale.push(...(await carryOutPreemptions(world, clusterName, plan.preemptions, byId)));
  const freed = await mendHolds(world, held);
  // What `provision` was asked about, it explains: it alone knows what can be bought.
  const unmet = new Set(plan.unmet);
  await recordWaits(
    world,
    plan.waits.filter(({ taskId }) => !unmet.has(taskId)),
    byId,
  );
  await recordUsage(world, snapshot);
  const idle = planScaleIn(snapshot, clock.now());
  const retired = await retireHosts(world, clusterName, idle);
  await observeGaps(world, snapshot, applied.claimed, retired, gaps);

  if (applied.again.length > 0) {
    await bus.wake(clusterName, 'launches left open', { taskIds: applied.again, delayMs: RELAUNCH_MS });
  }
  if (freed > 0 || applied.stale.length > 0 || (snapshot.morePending && applied.placed > 0)) {
    // A pass that got nothing through would plan the same again at once.
    const delayMs = applied.placed > 0 ? 0 : STALE_WAIT_MS;
    await bus.wake(clusterName, 'the snapshot was stale or cut short', {
      taskIds: applied.stale.slice(0, 100),
      delayMs,
    });
  }
  const wakeAt = Math.min(
    plan.wakeAt ?? Number.POSITIVE_INFINITY,
    idle.wakeAt ?? Number.POSITIVE_INFINITY,
    held.wakeAt ?? Number.POSITIVE_INFINITY,
  );
  if (Number.isFinite(wakeAt)) {
    await bus.wake(clusterName, 'a back-off, an idle wait or a hold ends', {
      delayMs: Math.max(0, wakeAt - clock.now()),
    });
  }
  metrics.sample('PendingTasks', plan.waits.length, 'Count', { cluster: clusterName });
  return {
    placed: applied.placed,
    launched: applied.launched,
    waiting: plan.waits.length,
    unmet: plan.unmet.length,
    stale: applied.stale.length,
    relaunch: applied.again.length,
    preempted: plan.preemptions.length,
  };
}

/** A task that was cancelled while its attempt was failing came back to the queue with the request on record: it ends here. */
async function withoutCancelled(world: PassWorld, snapshot: Snapshot): Promise<Snapshot> {
  const cancelled = snapshot.pending.filter((task) => task.stopRequested?.code === 'CANCELLED');
  if (cancelled.length === 0) return snapshot;
  await concurrently(cancelled, LAUNCHES_AT_ONCE, async (task) => {
    await endTask(world, task, {
      state: 'CANCELLED',
      ifState: ['PENDING'],
      endedAt: world.clock.now(),
      reason: { code: 'STOPPED', cause: 'CANCELLED', detail: task.stopRequested?.detail ?? '' },
    });
  });
  return { ...snapshot, pending: snapshot.pending.filter((task) => !cancelled.includes(task)) };
}

/** What the pass tells of how long hosts stay idle. */
async function observeGaps(
  { store, clock }: PassWorld,
  { cluster, hosts }: Snapshot,
  claimed: ReadonlySet<string>,
  retired: readonly Host[],
  gaps: IdleGaps,
): Promise<void> {
  const gone = new Set(retired.map(({ hostId }) => hostId));
  for (const host of hosts) {
    const pool = cluster.pools.find(({ name }) => name === host.pool);
    if (pool === undefined) continue;
    if (claimed.has(host.hostId)) gaps.used(host, pool, clock.now());
    if (gone.has(host.hostId)) await gaps.givenBack(store, host, pool);
  }
  await gaps.flushFull(
    store,
    cluster.name,
    cluster.pools.map(({ name }) => name),
  );
}

interface Applied {
  placed: number;
  launched: number;
  /** Tasks whose claim lost against something newer: still in the queue, to be planned anew. */
  readonly stale: string[];
  /** Placed tasks whose launch is to be repeated. */
  readonly again: string[];
  /** Hosts on which something was placed. */
  readonly claimed: Set<string>;
}

/** The tasks a plan speaks of, and what hosts hold for some of them. */
interface Known {
  readonly byId: ReadonlyMap<string, Task>;
  readonly holds: ReadonlyMap<string, Claim>;
}

async function claimAndLaunch(
  world: PassWorld,
  snapshot: Snapshot,
  plan: PlacementPlan,
  known: Known,
  unfinished: readonly Task[],
): Promise<Applied> {
  const applied: Applied = { placed: 0, launched: 0, stale: [], again: [], claimed: new Set() };
  const launch = async (task: Task): Promise<void> => {
    const result = await launchTask(world, task);
    if (result === 'again') applied.again.push(task.taskId);
    else if (result === 'replace') applied.stale.push(task.taskId);
    else applied.launched += 1;
  };
  await concurrently(unfinished, LAUNCHES_AT_ONCE, launch);
  const hosts = new Map(snapshot.hosts.map((host) => [host.hostId, host]));
  const chunks = plan.placements.flatMap((placement) => chunked(placement, known.byId));
  const claimAndGo = async (chunk: HostPlacement): Promise<void> => {
    const host = hosts.get(chunk.hostId);
    const claimed = await claimChunk(world, snapshot.cluster.name, chunk, host, known, applied);
    applied.placed += claimed.length;
    if (claimed.length > 0) applied.claimed.add(chunk.hostId);
    await concurrently(claimed, LAUNCHES_AT_ONCE, launch);
  };
  const isCapped = ({ tasks }: HostPlacement): boolean =>
    tasks.some(({ taskId }) => known.byId.get(taskId)?.spec.concurrency !== undefined);
  await concurrently(
    chunks.filter((chunk) => !isCapped(chunk)),
    CLAIMS_AT_ONCE,
    claimAndGo,
  );
  // One by one: two claims under one key would meet in its record, and each cancel the other.
  for (const chunk of chunks) if (isCapped(chunk)) await claimAndGo(chunk);
  return applied;
}

const claimed = (task: ClaimRequest['tasks'][number], hold: Claim | undefined) =>
  hold === undefined ? task : { ...task, hold: { demand: hold.demand, hostPorts: hold.hostPorts } };

/** Parts of what one transaction takes: each task is an item of it, and so is each of their concurrency keys. */
function chunked(placement: HostPlacement, byId: ReadonlyMap<string, Task>): HostPlacement[] {
  const chunks: HostPlacement['tasks'][number][][] = [];
  let items = MAX_ITEMS_PER_CLAIM;
  let keys = new Set<string>();
  for (const ref of placement.tasks) {
    const key = byId.get(ref.taskId)?.spec.concurrency?.key;
    const more = key === undefined || keys.has(key) ? 1 : 2;
    if (items + more > MAX_ITEMS_PER_CLAIM) {
      chunks.push([]);
      keys = new Set();
      items = 0;
    }
    chunks.at(-1)?.push(ref);
    items += key === undefined || keys.has(key) ? 1 : 2;
    if (key !== undefined) keys.add(key);
  }
  return chunks.map((tasks) => ({ ...placement, tasks }));
}

/**
 * Claims a host for a chunk of tasks; tasks that have moved on are left out once and the rest tried again. Returns the
 * tasks as they now stand, PLACED.
 */
async function claimChunk(
  world: PassWorld,
  cluster: string,
  placement: HostPlacement,
  host: Host | undefined,
  { byId, holds }: Known,
  applied: Applied,
): Promise<Task[]> {
  const { store, clock, metrics } = world;
  const against = host && whyPenalised(host, clock.now());
  const although = against === undefined ? '' : `, although ${against}`;
  const factor = host?.cpuOvercommit;
  // What is held for a task is all it asks.
  const factorOf = ({ taskId }: Task): Pick<Task, 'cpuOvercommit'> =>
    factor === undefined || holds.has(taskId) ? {} : { cpuOvercommit: factor };
  const shared =
    factor === undefined ? '' : `, whose CPU is promised up to ${factor} times as measured use allows`;
  const reason: Reason = { code: 'PLACED', detail: `placed on ${placement.hostId}${shared}${although}` };
  let tasks = placement.tasks.flatMap((ref) => byId.get(ref.taskId) ?? []);
  for (let round = 0; round < 2 && tasks.length > 0; round += 1) {
    const now = clock.now();
    const outcome = await store.claim({
      cluster,
      hostId: placement.hostId,
      epoch: placement.epoch,
      nowMs: now,
      reason,
      tasks: tasks.map((task) => {
        const { taskId, attempt, source, spec } = task;
        const { cpuOvercommit } = factorOf(task);
        return claimed(
          {
            taskId,
            attempt,
            demand: setAside(spec.demand, cpuOvercommit),
            ...factorOf(task),
            hostPorts: spec.hostPorts,
            group: spec.group,
            priority: spec.priority,
            interruptible: spec.interruptible,
            source: sourceTag(source),
            ...(isConstrained(spec.placement) && { constrained: true }),
            ...(spec.concurrency !== undefined && { concurrency: spec.concurrency }),
          },
          holds.get(taskId),
        );
      }),
    });
    metrics.count('Claims', 1, { outcome: outcome.outcome });
    switch (outcome.outcome) {
      case 'claimed':
        return tasks.map((task) => ({
          ...task,
          state: 'PLACED',
          reason,
          hostId: placement.hostId,
          placedAt: now,
          ...factorOf(task),
        }));
      case 'host-changed':
        applied.stale.push(...tasks.map((task) => task.taskId));
        return [];
      case 'cap-reached': {
        // Others have taken the seats since the snapshot: the next pass finds whether any is left.
        const full = new Set(outcome.taskIds);
        applied.stale.push(...full);
        tasks = tasks.filter((task) => !full.has(task.taskId));
        break;
      }
      case 'tasks-changed': {
        const moved = new Set(outcome.taskIds);
        tasks = tasks.filter((task) => !moved.has(task.taskId));
        break;
      }
    }
  }
  applied.stale.push(...tasks.map((task) => task.taskId));
  return [];
}
