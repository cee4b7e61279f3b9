import { planScaleIn } from '../domain/capacity/scaleIn.ts';
import type { Host } from '../domain/model/host.ts';
import type { PlacementPlan } from '../domain/model/plan.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import { place } from '../domain/placement/place.ts';
import { queueArrived } from './arrivals.ts';
import { claimAndLaunch } from './claimPlacements.ts';
import { concurrently } from './concurrently.ts';
import { endTask } from './dependencies.ts';
import { IdleGaps } from './idleGaps.ts';
import { carryOutPreemptions, mendHolds, settleHolds } from './preempt.ts';
import { recordWaits } from './recordWaits.ts';
import { retireHosts } from './retire.ts';
import { clearSeats } from './seats.ts';
import { loadSnapshot } from './snapshot.ts';
import { enforceTimeouts } from './timeouts.ts';
import { recordUsage } from './usage.ts';
import type { PassWorld } from './world.ts';

const ENDS_AT_ONCE = 10;
/** As many ids as a wake names of what it is about, and a request for capacity, which is the only way to what arrived. */
const MAX_HINTS = 100;
const MAX_WANTED = 2_000;
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
      taskIds: plan.unmet.slice(0, MAX_WANTED),
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
  const told = plan.waits.filter(({ taskId }) => !unmet.has(taskId));
  await recordWaits(world, told, byId);
  // What arrived and has no place goes into the queue: by its reason, by whoever it is handed on to, or here.
  const cared = new Set([
    ...applied.placedIds,
    ...told.map(({ taskId }) => taskId),
    ...plan.unmet.slice(0, MAX_WANTED),
    ...applied.stale.slice(0, MAX_HINTS),
  ]);
  await queueArrived(
    world,
    hinted.filter(({ taskId }) => !cared.has(taskId)),
  );
  await recordUsage(world, snapshot);
  const idle = planScaleIn(snapshot, clock.now());
  const retired = await retireHosts(world, clusterName, idle);
  await observeGaps(world, snapshot, applied.claimed, retired, gaps);

  if (applied.again.length > 0) {
    await bus.wake(clusterName, 'launches left open', { taskIds: applied.again, delayMs: RELAUNCH_MS });
  }
  if (freed > 0 || applied.stale.length > 0 || (snapshot.morePending && applied.placedIds.size > 0)) {
    // A pass that got nothing through would plan the same again at once.
    const delayMs = applied.placedIds.size > 0 ? 0 : STALE_WAIT_MS;
    await bus.wake(clusterName, 'the snapshot was stale or cut short', {
      taskIds: applied.stale.slice(0, MAX_HINTS),
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
    placed: applied.placedIds.size,
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
  await concurrently(cancelled, ENDS_AT_ONCE, async (task) => {
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
