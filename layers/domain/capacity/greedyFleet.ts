import { type Fleet, type FleetHosts, type FleetItem, type FleetOffer, fleetPrice, holds } from './fleet.ts';
import { frontier } from './frontier.ts';
import { totalDemand, vectorBound } from './vectorBound.ts';

/**
 * Buys host after host, each time the one that carries most value for its price, where a task's value is what its
 * resources cost in the linear program's mix. Identical hosts are bought at once.
 */
export function greedyFleet(items: readonly FleetItem[], offers: readonly FleetOffer[]): Fleet {
  const dimensions = items[0]?.demand.length ?? 0;
  const remaining = Int32Array.from(items, ({ count }) => count);
  const worthwhile = frontier(offers, items);
  const total = totalDemand(items, dimensions);
  const bound = vectorBound(
    total,
    worthwhile.map((at) => offers[at] as FleetOffer),
  );
  const values = items.map(({ demand }) => worthOf(demand, bound.prices));
  const order = items.map((_, i) => i).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
  const hosts: FleetHosts[] = [];
  for (;;) {
    const best = bestHost(items, offers, worthwhile, order, values, remaining);
    if (best === undefined) break;
    hosts.push(best);
    best.load.forEach((each, i) => {
      remaining[i] = (remaining[i] as number) - each * best.count;
    });
  }
  return { hosts, unheld: remaining, price: fleetPrice(offers, hosts) };
}

function worthOf(demand: Float64Array, prices: Float64Array): number {
  let value = 0;
  for (let d = 0; d < demand.length; d += 1) value += (demand[d] as number) * (prices[d] as number);
  return Math.max(value, 1e-12);
}

function bestHost(
  items: readonly FleetItem[],
  offers: readonly FleetOffer[],
  worthwhile: readonly number[],
  order: readonly number[],
  values: readonly number[],
  remaining: Int32Array,
): FleetHosts | undefined {
  let best: { offer: number; load: Int32Array } | undefined;
  let most = 0;
  for (const at of worthwhile) {
    const offer = offers[at];
    if (offer === undefined) continue;
    const load = fill(items, at, offer, order, remaining);
    let value = 0;
    load.forEach((each, i) => {
      value += each * (values[i] ?? 0);
    });
    const ratio = value / Math.max(offer.price, 1e-9);
    if (value > 0 && ratio > most * (1 + 1e-9)) {
      most = ratio;
      best = { offer: at, load };
    }
  }
  if (best === undefined) return undefined;
  let count = Number.POSITIVE_INFINITY;
  best.load.forEach((each, i) => {
    if (each > 0) count = Math.min(count, Math.floor((remaining[i] as number) / each));
  });
  return { ...best, count: Math.max(1, count) };
}

/** Dearest task first, as many of each as fit. */
function fill(
  items: readonly FleetItem[],
  at: number,
  offer: FleetOffer,
  order: readonly number[],
  remaining: Int32Array,
): Int32Array {
  const left = Float64Array.from(offer.capacity);
  const load = new Int32Array(items.length);
  const tokens = new Set<string>();
  for (const i of order) {
    const item = items[i];
    if (item === undefined || item.allowed[at] !== 1) continue;
    if (item.tokens.some((token) => tokens.has(token))) continue;
    const most = item.tokens.length > 0 ? 1 : (remaining[i] as number);
    let taken = 0;
    while (taken < most && taken < (remaining[i] as number) && holds(left, item.demand)) {
      for (let d = 0; d < left.length; d += 1) left[d] = (left[d] as number) - (item.demand[d] as number);
      taken += 1;
    }
    load[i] = taken;
    if (taken > 0) for (const token of item.tokens) tokens.add(token);
  }
  return load;
}
