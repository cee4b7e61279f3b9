import { planDrains } from '../../domain/capacity/consolidate.ts';
import { isMovable, recentDisruptions } from '../../domain/capacity/disruption.ts';
import { mayReplace } from '../../domain/capacity/replaceable.ts';
import { lacksReserve } from '../../domain/capacity/reserve.ts';
import type { Drain } from '../../domain/model/plan.ts';
import type { Cluster, Pool } from '../../domain/model/pool.ts';
import type { Snapshot } from '../../domain/model/snapshot.ts';
import { place } from '../../domain/placement/place.ts';
import { drainHost } from '../operate/drain.ts';
import { loadSnapshot } from '../snapshot.ts';
import type { World } from '../world.ts';

export type ConsolidateWorld = Pick<World, 'store' | 'containers' | 'bus' | 'clock' | 'log' | 'metrics'>;

/** How the state of a host begins that is emptied to save money. */
const WORDS = 'emptied to save money';

/**
 * Empties hosts whose tasks fit on others for less, within their pools' budgets, and asks `provision` to look for cheaper
 * ones when there are none, and for what pools keep in reserve. Returns how many hosts are being emptied.
 */
export async function consolidate(world: ConsolidateWorld, cluster: Cluster): Promise<number> {
  if (cluster.paused) return 0;
  const { snapshot } = await loadSnapshot(world, cluster, []);
  const now = world.clock.now();
  if (lacksReserve(snapshot, now)) {
    await world.bus.provision(cluster.name, 'a pool has less than it keeps in reserve');
  }
  const drains = await thatPlacementConfirms(world, snapshot, planDrains(snapshot, now).drain, now);
  let emptied = 0;
  for (const pool of cluster.pools) {
    const ofPool = drains.filter((drain) => drain.pool === pool.name);
    if (ofPool.length > 0) emptied += await emptyHosts(world, pool, ofPool, now);
  }
  if (drains.length === 0 && mayReplace(snapshot, now)) {
    await world.bus.provision(cluster.name, 'hosts may be replaced by cheaper ones');
  }
  return emptied;
}

/**
 * As many of the drains, from the first on, as the scheduler itself finds room for: it packs by its own score, and a task
 * that it could not place again would have been stopped for nothing.
 */
async function thatPlacementConfirms(
  world: ConsolidateWorld,
  snapshot: Snapshot,
  drains: readonly Drain[],
  nowMs: number,
): Promise<readonly Drain[]> {
  if (drains.length === 0) return drains;
  const claimsOf = new Map(snapshot.hosts.map(({ hostId, claims }) => [hostId, Object.keys(claims)]));
  const tasks = await world.store.getTasks(drains.flatMap(({ hostId }) => claimsOf.get(hostId) ?? []));
  for (let count = drains.length; count > 0; count -= 1) {
    const chosen = drains.slice(0, count);
    const emptied = new Set(chosen.map(({ hostId }) => hostId));
    const hosts = snapshot.hosts.filter(({ hostId }) => !emptied.has(hostId));
    const moving = tasks.filter(({ hostId }) => hostId !== undefined && emptied.has(hostId));
    const pending = moving.map(({ notBefore: _now, ...task }) => ({ ...task, state: 'PENDING' as const }));
    const together = { ...snapshot, hosts, pending: [...snapshot.pending, ...pending] };
    const plan = place(together, nowMs, { preempt: 'never' });
    const waits = new Set(plan.waits.map(({ taskId }) => taskId));
    if (moving.every(({ taskId }) => !waits.has(taskId)) && plan.unmet.length === 0) return chosen;
  }
  return [];
}

/** The budget is spent on record before a host is touched: rounds that overlap cannot both spend it. */
async function emptyHosts(
  world: ConsolidateWorld,
  pool: Pool,
  drains: readonly Drain[],
  nowMs: number,
): Promise<number> {
  const { store, log, metrics } = world;
  const to = [...recentDisruptions(pool, nowMs), ...drains.map(() => nowMs)];
  const spent = await store.recordDisruptions(pool.cluster, pool.name, { from: pool.disruptedAt ?? [], to });
  if (spent.outcome === 'refused') return 0;
  let emptied = 0;
  for (const { hostId, epoch, reason } of drains) {
    const drained = await drainHost(world, pool.cluster, hostId, `${WORDS}: ${reason}`, {
      from: ['READY'],
      epoch,
      onlyIf: (host) => Object.values(host.claims).every(isMovable),
    });
    metrics.count('Consolidations', 1, { cluster: pool.cluster, outcome: drained.outcome });
    if (drained.outcome !== 'draining') continue;
    log.info('A host is emptied to save money', { hostId, pool: pool.name, reason, moved: drained.moved });
    emptied += 1;
  }
  return emptied;
}
