import type { Pool } from '../model/pool.ts';
import { amountOf, fitsInto, minus, noResources, plus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { hostsOnOrder } from '../placement/virtualHosts.ts';
import type { PoolOffer } from './offers.ts';
import type { Purchase } from './orders.ts';
import { hostsByPool, type Slots } from './slots.ts';
import { wantedHosts } from './wantedHosts.ts';

/** A reserve host that holds less than this is of little use to a container. */
const LEAST_USEFUL: Resources = { cpu: 1024, memory: 1024 };

/**
 * Hosts that pools keep whatever the demand: as many as are wanted at this hour, and `headroom` free beyond what
 * pending tasks take. `bought` are this plan's purchases for demand.
 */
export function reservePurchases(
  snapshot: Snapshot,
  bought: readonly Purchase[],
  offers: readonly PoolOffer[],
  slots: Slots,
  nowMs: number,
): Purchase[] {
  const have = hostsByPool(snapshot);
  const purchases: Purchase[] = [];
  for (const pool of snapshot.cluster.pools) {
    const ofPool = bought.filter((purchase) => purchase.offer.pool === pool);
    const coming = (have.get(pool.name) ?? 0) + ofPool.reduce((sum, { count }) => sum + count, 0);
    const wanted = wantedHosts(pool, nowMs);
    const forCount = Math.max(0, wanted - coming);
    if (forCount === 0 && Object.keys(pool.headroom).length === 0) continue;
    const open = offers.filter((offer) => offer.pool === pool);
    const offer = usualOffer(snapshot, pool, open);
    if (offer === undefined) continue;
    const forRoom = hostsForHeadroom(snapshot, pool, ofPool, offer, forCount);
    const count = Math.min(forCount + forRoom, slots.of(pool.name));
    if (count === 0) continue;
    slots.take(pool.name, count);
    const why =
      forCount > 0 ? `pool "${pool.name}" wants ${wanted} hosts` : `headroom of pool "${pool.name}"`;
    purchases.push({ offer, count, load: offer.type.capacity, zone: undefined, alternatives: open, why });
  }
  return purchases;
}

/** Whether some pool has fewer hosts, coming ones included, or less free room than it keeps in reserve. */
export function lacksReserve(snapshot: Snapshot, nowMs: number): boolean {
  const have = hostsByPool(snapshot);
  return snapshot.cluster.pools.some((pool) => {
    const hosts = have.get(pool.name) ?? 0;
    if (hosts >= pool.maxHosts) return false;
    if (hosts < wantedHosts(pool, nowMs)) return true;
    if (Object.keys(pool.headroom).length === 0) return false;
    return !fitsInto(pool.headroom, freeRoom(snapshot, pool, []));
  });
}

/** The type the pool has most of, else the cheapest that is of use. */
function usualOffer(snapshot: Snapshot, pool: Pool, open: readonly PoolOffer[]): PoolOffer | undefined {
  const counts = new Map<string, number>();
  for (const host of snapshot.hosts) {
    if (host.pool === pool.name) counts.set(host.instanceType, (counts.get(host.instanceType) ?? 0) + 1);
  }
  const useful = open.filter(({ type }) => fitsInto(LEAST_USEFUL, type.capacity));
  return [...(useful.length > 0 ? useful : open)].sort(
    (a, b) =>
      (counts.get(b.type.name) ?? 0) - (counts.get(a.type.name) ?? 0) ||
      a.price - b.price ||
      (a.type.name < b.type.name ? -1 : 1),
  )[0];
}

function hostsForHeadroom(
  snapshot: Snapshot,
  pool: Pool,
  bought: readonly Purchase[],
  offer: PoolOffer,
  alreadyCounted: number,
): number {
  let hosts = 0;
  const free = freeRoom(snapshot, pool, bought);
  for (const [dimension, amount] of Object.entries(pool.headroom)) {
    const each = amountOf(offer.type.capacity, dimension);
    const lack = amount - amountOf(free, dimension) - alreadyCounted * each;
    if (lack > 0 && each > 0) hosts = Math.max(hosts, Math.ceil(lack / each));
  }
  return hosts;
}

/** Room of the pool's hosts, coming ones included, less what pending tasks that are not bought for will take of it. */
function freeRoom(snapshot: Snapshot, pool: Pool, bought: readonly Purchase[]): Resources {
  const hosts = [...snapshot.hosts, ...hostsOnOrder(snapshot)].filter(
    (host) => host.pool === pool.name && (host.state === 'READY' || host.state === 'BOOTING'),
  );
  let free = hosts.reduce((sum, host) => plus(sum, host.left), noResources);
  for (const { offer, count } of bought) {
    for (let n = 0; n < count; n += 1) free = plus(free, offer.type.capacity);
  }
  for (const task of snapshot.pending) {
    const inPool = task.spec.placement.pool ?? pool.name;
    if (inPool === pool.name) free = minus(free, task.spec.demand);
  }
  return free;
}
