import type { Host, Lifecycle } from '../model/host.ts';
import type { InstanceType, InsufficientCapacity, Pool } from '../model/pool.ts';
import { amountOf } from '../model/resources.ts';
import { OVERCOMMIT_ATTRIBUTE } from '../placement/overcommit.ts';
import { matchesType } from './typePattern.ts';

/** A type that a pool can buy under one lifecycle, with the zones in which EC2 is not known to be out of it. */
export interface PoolOffer {
  readonly pool: Pool;
  readonly type: InstanceType;
  readonly lifecycle: Lifecycle;
  readonly zones: readonly string[];
  /** USD an hour as billed. */
  readonly usdPerHour: number;
  /** What it is compared by: the bill, what interruptions are expected to cost, and what any host of the pool costs besides. */
  readonly price: number;
}

/** An interruption throws away this much of an hour of work and boot. */
const LOST_HOURS_PER_INTERRUPTION = 0.5;

export interface Market {
  readonly offers: readonly PoolOffer[];
  /** Types that the pools allow and EC2 is out of, with the moment the first is asked for again. */
  readonly exhausted: number;
  readonly retryAt: number | undefined;
}

export function marketOf(
  pools: readonly Pool[],
  types: readonly InstanceType[],
  insufficient: readonly InsufficientCapacity[],
  nowMs: number,
): Market {
  const out = new Map<string, number>();
  for (const { instanceType, zone, lifecycle, until } of insufficient) {
    if (until > nowMs) out.set(`${instanceType}|${zone}|${lifecycle}`, until);
  }
  const offers: PoolOffer[] = [];
  let exhausted = 0;
  let retryAt: number | undefined;
  for (const pool of pools) {
    for (const type of types) {
      if (!allows(pool, type)) continue;
      for (const lifecycle of new Set(pool.lifecycles)) {
        const keys = pool.zones.map((zone) => `${type.name}|${zone}|${lifecycle}`);
        const zones = pool.zones.filter((_, z) => !out.has(keys[z] ?? ''));
        if (zones.length > 0) offers.push(offerOf(pool, type, lifecycle, zones));
        else {
          exhausted += 1;
          retryAt = Math.min(
            retryAt ?? Number.POSITIVE_INFINITY,
            ...keys.map((key) => out.get(key) ?? nowMs),
          );
        }
      }
    }
  }
  return { offers, exhausted, retryAt };
}

export const allows = (pool: Pool, type: InstanceType): boolean =>
  amountOf(type.capacity, 'cpu') <= pool.maxHostVcpus * 1024 &&
  (pool.architecture === undefined || pool.architecture === type.architecture) &&
  pool.instanceTypes.some((pattern) => matchesType(pattern, type.name));

function offerOf(pool: Pool, type: InstanceType, lifecycle: Lifecycle, zones: readonly string[]): PoolOffer {
  const fixed = pool.hostUsdPerHour ?? 0;
  if (lifecycle === 'on-demand') {
    return { pool, type, lifecycle, zones, usdPerHour: type.usdPerHour, price: type.usdPerHour + fixed };
  }
  // Without a Spot price the On-Demand price is the one that Spot never exceeds; the hair less prefers Spot at a tie.
  const usdPerHour = type.spotUsdPerHour ?? type.usdPerHour * (1 - 1e-6);
  const rate = type.spotInterruptionRate ?? pool.spotInterruptionsPerHour ?? 0;
  const risk = rate * LOST_HOURS_PER_INTERRUPTION;
  return { pool, type, lifecycle, zones, usdPerHour, price: usdPerHour * (1 + risk) + fixed };
}

/** The host an offer would become, empty: what placement rules are asked of before anything is bought. */
export const hostOf = (
  offer: PoolOffer,
  zone: string,
  learned: Readonly<Record<string, string>> = {},
): Host => ({
  hostId: `offer/${offer.type.name}`,
  cluster: offer.pool.cluster,
  pool: offer.pool.name,
  instanceType: offer.type.name,
  zone,
  lifecycle: offer.lifecycle,
  architecture: offer.type.architecture,
  usdPerHour: offer.usdPerHour,
  state: 'READY',
  stateReason: 'considered for purchase',
  epoch: 0,
  capacity: offer.type.capacity,
  left: offer.type.capacity,
  ports: [],
  claims: {},
  attributes: {
    ...learned,
    // As its pool's hosts will be seen once they are up: what keeps off them must not have them bought for it.
    ...((offer.pool.cpuOvercommit ?? 1) > 1 && { [OVERCOMMIT_ATTRIBUTE]: String(offer.pool.cpuOvercommit) }),
  },
  launchedAt: 0,
});
