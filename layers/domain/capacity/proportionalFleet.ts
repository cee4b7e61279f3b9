import { type Fleet, type FleetHosts, type FleetItem, type FleetOffer, fleetPrice } from './fleet.ts';
import type { Filled, Knapsack } from './knapsack.ts';

/**
 * Buys host after host, each time the one that carries most value for its price. A host may take at most `slack` times
 * its even share of each item, so that what remains stays as good a mix as what was there: hosts filled with the most
 * convenient tasks first leave the inconvenient ones to the last. Identical hosts are bought at once.
 */
export function proportionalFleet(
  items: readonly FleetItem[],
  offers: readonly FleetOffer[],
  worthwhile: readonly number[],
  knapsack: Knapsack,
  values: Float64Array,
  counts: Int32Array,
  slack: number,
): Fleet {
  const remaining = Int32Array.from(counts);
  const limits = new Int32Array(items.length);
  const hosts: FleetHosts[] = [];
  // What an offer carried for its price when it was last filled. It hardly rises while tasks get fewer, so an offer is filled
  // anew only while that figure still beats the best found (Minoux 1978).
  const ratios = new Map(worthwhile.map((offer) => [offer, Number.POSITIVE_INFINITY]));
  for (;;) {
    let worth = 0;
    for (let i = 0; i < remaining.length; i += 1) worth += (remaining[i] as number) * (values[i] as number);
    let best: Filled | undefined;
    let most = 0;
    for (const [offer, before] of [...ratios].sort((a, b) => b[1] - a[1])) {
      if (before <= most) break;
      const price = Math.max(offers[offer]?.price ?? 0, 1e-9);
      evenShare(remaining, limits, slack / Math.max(1, worth / price));
      const filled = knapsack.best(offer, values, limits);
      const ratio = filled.value / price;
      ratios.set(offer, ratio);
      if (filled.value <= 0 || ratio <= most * (1 + 1e-9)) continue;
      best = filled;
      most = ratio;
    }
    if (best === undefined) break;
    const count = timesWithin(best.load, remaining);
    hosts.push({ offer: best.offer, load: best.load, count });
    for (let i = 0; i < remaining.length; i += 1) {
      remaining[i] = (remaining[i] as number) - count * (best.load[i] as number);
    }
  }
  return { hosts, unheld: remaining, price: fleetPrice(offers, hosts) };
}

function evenShare(remaining: Int32Array, limits: Int32Array, share: number): void {
  for (let i = 0; i < remaining.length; i += 1) {
    const count = remaining[i] as number;
    limits[i] = Math.min(count, Math.ceil(count * share));
  }
}

/** How many hosts of the load the remaining tasks fill. */
export function timesWithin(load: Int32Array, remaining: Int32Array): number {
  let times = Number.POSITIVE_INFINITY;
  for (let i = 0; i < load.length; i += 1) {
    const each = load[i] as number;
    if (each > 0) times = Math.min(times, Math.floor((remaining[i] as number) / each));
  }
  return times;
}
