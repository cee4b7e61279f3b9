import type { Claim, Host } from '../model/host.ts';
import type { NewOrder } from '../model/plan.ts';
import type { Pool } from '../model/pool.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { drainsOf, priceOf } from './consolidate.ts';
import { budgetOf, costOfMoves, disruptionsLeft, paysBack } from './disruption.ts';
import type { Fleet, FleetItem } from './fleet.ts';
import { hostOf, marketOf, type PoolOffer } from './offers.ts';
import { ordersFor, type Purchase } from './orders.ts';
import { candidatesOf, mayReplace } from './replaceable.ts';
import { Rooms } from './rooms.ts';
import { solveFleet } from './solveFleet.ts';

/** A replacement must save this share of what it replaces: prices that are nearly equal must not swap hosts to and fro. */
const LEAST_SAVING = 0.1;
const SET_SIZES = [1, 2, 3, 5, 8, 13, 21];

/**
 * Cheaper hosts for the tasks of the pool's worst hosts: once they are up, `planDrains` sees that the old ones' tasks fit
 * and drains those. One replacement at a time and only in a quiet pool, so that each is judged by what it changed; as each
 * lowers the price by a fixed share, there is no end to which they could go to and fro.
 */
export function planReplacement(snapshot: Snapshot, nowMs: number): readonly NewOrder[] {
  if (!mayReplace(snapshot, nowMs)) return [];
  const { cluster, hosts } = snapshot;
  const market = marketOf(cluster.pools, snapshot.instanceTypes, snapshot.insufficientCapacity, nowMs);
  return cluster.pools.flatMap((pool) => {
    const offers = market.offers.filter((offer) => offer.pool === pool);
    const { purchases, replaces } = bestReplacement(snapshot, pool, offers, nowMs);
    return ordersFor(purchases, hosts).map((order) => ({ ...order, replaces }));
  });
}

const hostsOf = (hosts: readonly Host[], pool: Pool): Host[] =>
  hosts.filter((host) => host.pool === pool.name);

interface Replacement {
  readonly purchases: readonly Purchase[];
  readonly replaces: readonly string[];
}

function bestReplacement(
  snapshot: Snapshot,
  pool: Pool,
  offers: readonly PoolOffer[],
  nowMs: number,
): Replacement {
  const hosts = hostsOf(snapshot.hosts, pool);
  const rowOf = new Map(hosts.map(({ hostId }, row) => [hostId, row]));
  const worst = candidatesOf(hosts, pool, nowMs).flatMap(({ hostId }) => rowOf.get(hostId) ?? []);
  const allowed = disruptionsLeft(hosts, pool, nowMs);
  let best: Replacement = { purchases: [], replaces: [] };
  let most = 0;
  for (const size of SET_SIZES) {
    if (size > allowed || size > worst.length) break;
    const purchases = tryReplacement(hosts, pool, worst.slice(0, size), offers);
    if (purchases === undefined) continue;
    const { saved, drained } = savedBy(snapshot, pool, purchases, nowMs);
    if (saved <= most) continue;
    most = saved;
    best = { purchases, replaces: drained };
  }
  return best;
}

/**
 * USD an hour less once the new hosts are up, and which hosts are then emptied, as `planDrains` is going to see it; nothing
 * when that is not enough. What it would not drain is not bought for: otherwise the new hosts would idle, be given back,
 * and be bought again.
 */
function savedBy(
  snapshot: Snapshot,
  pool: Pool,
  purchases: readonly Purchase[],
  nowMs: number,
): { readonly saved: number; readonly drained: readonly string[] } {
  const fresh = purchases.flatMap(({ offer, count }, p) =>
    Array.from({ length: count }, (_, n) => ({
      ...hostOf(offer, offer.zones[0] ?? ''),
      hostId: `replacement/${p}/${n}`,
      launchedAt: nowMs,
      idleSince: nowMs,
    })),
  );
  const hosts = [...snapshot.hosts, ...fresh];
  if (hostsOf(hosts, pool).length > pool.maxHosts) return { saved: 0, drained: [] };
  const { drain, needed } = drainsOf({ ...snapshot, hosts }, pool, nowMs);
  const drained = new Set(drain.map(({ hostId }) => hostId));
  const budget = budgetOf(pool);
  let [before, after, moves] = [0, 0, 0];
  for (const host of hosts) {
    if (drained.has(host.hostId)) {
      before += priceOf(host, pool);
      moves += costOfMoves(host, Object.values(host.claims), budget, nowMs);
    } else if (needed.has(host.hostId)) after += priceOf(host, pool);
  }
  const saved = before - after;
  const enough = saved >= LEAST_SAVING * before && paysBack(saved, moves + bootUsd(purchases, pool), budget);
  return enough ? { saved, drained: [...drained] } : { saved: 0, drained: [] };
}

/** A new host is paid for while it boots and takes nothing: 9 of the 26 s that AL2023 needs. */
const BILLED_BOOT_HOURS = 9 / 3600;

const bootUsd = (purchases: readonly Purchase[], pool: Pool): number =>
  purchases.reduce(
    (usd, { offer, count }) =>
      usd + count * (offer.usdPerHour + (pool.hostUsdPerHour ?? 0)) * BILLED_BOOT_HOURS,
    0,
  );

/** What to buy so that the hosts' tasks have room without them; undefined when nothing is needed or can be bought. */
function tryReplacement(
  hosts: readonly Host[],
  pool: Pool,
  rows: readonly number[],
  offers: readonly PoolOffer[],
): Purchase[] | undefined {
  const rooms = new Rooms(hosts);
  for (const row of rows) rooms.close(row);
  const homeless: Claim[] = [];
  let oldUsd = 0;
  for (const row of rows) {
    const host = hosts[row] as Host;
    homeless.push(...rooms.moveSome(Object.values(host.claims), row));
    oldUsd += priceOf(host, pool);
  }
  // Without anything to buy it is a drain, which scale-in finds by itself.
  if (homeless.length === 0) return undefined;
  const { fleet, demands, dimensions } = solveFor(homeless, offers);
  if (fleet.unheld.some((count) => count > 0) || fleet.price >= oldUsd) return undefined;
  const why = `replaces ${rows.map((row) => hosts[row]?.hostId).join(', ')} for less`;
  return fleet.hosts.map(({ offer, count, load }) => {
    const sum: Record<string, number> = {};
    dimensions.forEach((dimension, d) => {
      sum[dimension] = load.reduce((total, each, i) => total + each * (demands[i]?.[d] ?? 0), 0);
    });
    return {
      offer: offers[offer] as PoolOffer,
      count,
      load: sum,
      zone: undefined,
      alternatives: offers,
      why,
    };
  });
}

function solveFor(
  claims: readonly Claim[],
  offers: readonly PoolOffer[],
): { fleet: Fleet; demands: readonly Float64Array[]; dimensions: readonly string[] } {
  const dimensions = [...new Set(claims.flatMap(({ demand }) => Object.keys(demand)))];
  const allowed = new Uint8Array(offers.length).fill(1);
  const items = new Map<string, FleetItem>();
  for (const { demand, hostPorts } of claims) {
    const vector = Float64Array.from(dimensions, (dimension) => demand[dimension] ?? 0);
    const key = `${vector.join()}|${hostPorts.join()}`;
    const tokens = hostPorts.map((port) => `port ${port}`);
    const known = items.get(key) ?? { demand: vector, count: 0, gpu: 0, tokens, allowed };
    items.set(key, { ...known, count: known.count + 1 });
  }
  const fleet = solveFleet(
    [...items.values()],
    offers.map(({ type, price }) => ({
      capacity: Float64Array.from(dimensions, (dimension) => type.capacity[dimension] ?? 0),
      price,
      gpus: 0,
    })),
    'quick',
  );
  return { fleet, demands: [...items.values()].map(({ demand }) => demand), dimensions };
}
