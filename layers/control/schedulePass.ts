import { planScaleIn } from '../domain/capacity/scaleIn.ts';
import type { Host } from '../domain/model/host.ts';
import type { PlacementPlan } from '../domain/model/plan.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import type { Task } from '../domain/model/task.ts';
import { queueArrived } from './arrivals.ts';
import { claimAndLaunch } from './claimPlacements.ts';
import type { IdleGaps } from './idleGaps.ts';
import { PassMemory } from './passMemory.ts';
import { isWorthACopy, planPass } from './planPass.ts';
import { carryOutPreemptions, type Held, mendHolds } from './preempt.ts';
import { recordWaits } from './recordWaits.ts';
import { retireHosts } from './retire.ts';
import { clearSeats } from './seats.ts';
import { enforceTimeouts } from './timeouts.ts';
import { recordUsage } from './usage.ts';
import type { PassWorld } from './world.ts';

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
  /** Whether it read all hosts, or planned on what its process remembers of them. */
  readonly whole: boolean;
}

const nothing: PassReport = {
  placed: 0,
  launched: 0,
  waiting: 0,
  unmet: 0,
  stale: 0,
  relaunch: 0,
  preempted: 0,
  whole: false,
};

/** What a pass is asked to look at, and what its process remembers. */
export interface PassOptions {
  /** See `Wakes.wake`. */
  readonly changedHosts?: readonly string[];
  readonly memory?: PassMemory;
}

/**
 * One pass over one cluster: finish launches that were left open, place what fits, record why the rest waits, ask for
 * capacity, give idle hosts back. Everything it writes is guarded, so that passes may overlap and may be cut off
 * anywhere; what was left is found again by the wake that follows or by `reconcile`.
 */
export async function schedulePass(
  world: PassWorld,
  clusterName: string,
  taskIds: readonly string[],
  { changedHosts, memory = new PassMemory() }: PassOptions = {},
): Promise<PassReport> {
  const { store, bus, log, metrics, clock } = world;
  const cluster = await store.getCluster(clusterName);
  if (!cluster) {
    log.warn('A wake names a cluster that is not on record', { cluster: clusterName });
    metrics.count('UnknownCluster');
    return nothing;
  }
  const copy = memory.copyOf(clusterName);
  const wake = { taskIds, ...(changedHosts !== undefined && { changedHosts }) };
  const { snapshot, held, plan, hinted, emptySeats, whole, read } = await planPass(
    world,
    cluster,
    wake,
    copy,
  );
  const byId = new Map([...snapshot.pending, ...held.heirs].map((task) => [task.taskId, task]));
  const unfinished = hinted.filter((task) => task.state === 'PLACED' && task.ecsTaskArn === undefined);
  // Before anything is written, as this may be cut off at any write.
  copy.doubt(hostsOf(plan, held, unfinished));

  // Capacity first: buying takes longest, and nothing below decides otherwise about it.
  if (plan.unmet.length > 0) {
    await bus.provision(clusterName, `${plan.unmet.length} tasks fit no host`, {
      taskIds: plan.unmet.slice(0, MAX_WANTED),
    });
  }

  await clearSeats(store, clusterName, emptySeats);
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
  if (whole) await recordUsage(world, snapshot);
  const idle = planScaleIn({ ...snapshot, hosts: read }, clock.now());
  copy.doubt(idle.retire.map(({ hostId }) => hostId));
  // Only who sees all hosts knows which of them can be spared.
  const retired = whole ? await retireHosts(world, clusterName, idle) : [];
  await observeGaps(world, snapshot, applied.claimed, retired, memory.gaps);

  if (applied.again.length > 0) {
    await bus.wake(clusterName, 'launches left open', {
      taskIds: applied.again,
      changedHosts: [],
      delayMs: RELAUNCH_MS,
    });
  }
  const misled = !whole && applied.lost > 0;
  if (misled) copy.forget();
  if (freed > 0 || applied.stale.length > 0 || (snapshot.morePending && applied.placedIds.size > 0)) {
    // A pass that got nothing through would plan the same again at once, unless it reads other hosts.
    const delayMs = applied.placedIds.size > 0 || misled ? 0 : STALE_WAIT_MS;
    await bus.wake(clusterName, 'the snapshot was stale or cut short', {
      taskIds: applied.stale.slice(0, MAX_HINTS),
      changedHosts: [...applied.refused, ...held.void.map(({ host }) => host.hostId)],
      delayMs,
    });
  }
  const idleAt = !whole && idle.retire.length > 0 ? clock.now() : (idle.wakeAt ?? Number.POSITIVE_INFINITY);
  const wholeAt = Math.min(idleAt, held.wakeAt ?? Number.POSITIVE_INFINITY);
  const wakeAt = Math.min(plan.wakeAt ?? Number.POSITIVE_INFINITY, wholeAt);
  const wakeLater = async (at: number, changedHosts?: readonly string[]): Promise<void> => {
    if (!Number.isFinite(at)) return;
    await bus.wake(clusterName, 'a back-off, an idle wait or a hold ends', {
      ...(changedHosts !== undefined && { changedHosts }),
      delayMs: Math.max(0, at - clock.now()),
    });
  };
  await wakeLater(wakeAt, wakeAt < wholeAt ? [] : undefined);
  // The pass at the end of a back-off does not ask for the other, unless it sees all hosts.
  if (wakeAt < wholeAt && isWorthACopy(cluster)) await wakeLater(wholeAt);
  metrics.count('Passes', 1, { hosts: whole ? 'all' : 'remembered' });
  metrics.sample('PendingTasks', plan.waits.length, 'Count', { cluster: clusterName });
  return {
    placed: applied.placedIds.size,
    launched: applied.launched,
    waiting: plan.waits.length,
    unmet: plan.unmet.length,
    stale: applied.stale.length,
    relaunch: applied.again.length,
    preempted: plan.preemptions.length,
    whole,
  };
}

/** Every host that carrying the plan out may change, those apart that are given back. */
function hostsOf(plan: PlacementPlan, held: Held, unfinished: readonly Task[]): string[] {
  return [
    ...plan.placements.map(({ hostId }) => hostId),
    ...plan.preemptions.map(({ hostId }) => hostId),
    ...[...held.void, ...held.open].map(({ host }) => host.hostId),
    ...unfinished.flatMap(({ hostId }) => hostId ?? []),
  ];
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
    if (!claimed.has(host.hostId) && !gone.has(host.hostId)) continue;
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
