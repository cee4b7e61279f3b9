import type { Host } from '../model/host.ts';
import { amountOf, minus, plus, type Resources } from '../model/resources.ts';
import type { FleetItem } from './fleet.ts';
import type { PoolOffer } from './offers.ts';
import type { Problem } from './problem.ts';

/** Where nothing is small enough, what is at most this much larger than the smallest counts as that. */
const ABOUT = 1.5;

/**
 * Bounds what the failure of one host takes of a pool that declares `leastHosts`: a host must not be able to hold more than
 * that part of all the pool's tasks, running and bought for. A task that only larger hosts hold gets about the smallest.
 */
export function spreadWide(problem: Problem, hosts: readonly Host[]): Problem {
  const pools = new Set(problem.offers.map(({ pool }) => pool));
  const shares = new Float64Array(problem.offers.length);
  for (const pool of pools) {
    const { leastHosts = 1 } = pool;
    if (leastHosts <= 1) continue;
    const asked = hosts
      .filter((host) => host.pool === pool.name && host.state !== 'TERMINATING')
      .reduce<Resources>((sum, { capacity, left }) => plus(sum, minus(capacity, left)), waiting(problem));
    problem.offers.forEach((offer, at) => {
      if (offer.pool === pool) shares[at] = leastHosts * shareOf(offer, asked);
    });
  }
  if (shares.every((share) => share <= 1)) return problem;
  return { ...problem, items: problem.items.map((item) => onlySmall(item, shares, problem.offers)) };
}

const waiting = ({ dimensions, items }: Problem): Resources =>
  Object.fromEntries(
    dimensions.map((dimension, d) => [
      dimension,
      items.reduce((sum, { demand, count }) => sum + (demand[d] ?? 0) * count, 0),
    ]),
  );

/** The part of what is asked that one host of the offer holds: as much as of what runs out on it first. */
function shareOf({ type }: PoolOffer, asked: Resources): number {
  const parts = Object.entries(asked).flatMap(([dimension, amount]) =>
    amount > 0 ? amountOf(type.capacity, dimension) / amount : [],
  );
  return Math.min(...parts, Number.MAX_VALUE);
}

/** Each pool for itself: one that declares nothing stays as open as it was. */
function onlySmall(item: FleetItem, shares: Float64Array, offers: readonly PoolOffer[]): FleetItem {
  const smallest = new Map<PoolOffer['pool'], number>();
  item.allowed.forEach((yes, at) => {
    const pool = offers[at]?.pool;
    if (yes === 1 && pool !== undefined) {
      smallest.set(pool, Math.min(smallest.get(pool) ?? Number.POSITIVE_INFINITY, shares[at] ?? 0));
    }
  });
  const allowed = item.allowed.map((yes, at) => {
    const pool = offers[at]?.pool;
    const least = (pool && smallest.get(pool)) ?? 0;
    return yes === 1 && (shares[at] ?? 0) <= (least <= 1 ? 1 : least * ABOUT) ? 1 : 0;
  });
  return { ...item, allowed };
}
