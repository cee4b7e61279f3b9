import { type Fleet, type FleetHosts, type FleetItem, type FleetOffer, fleetPrice } from './fleet.ts';
import { frontier } from './frontier.ts';
import { Knapsack } from './knapsack.ts';
import { PatternLp, type PatternMix } from './patternLp.ts';
import { proportionalFleet, timesWithin } from './proportionalFleet.ts';
import { totalDemand, vectorBound } from './vectorBound.ts';

/** How much more than its even share of an item a host may take, tried in turn. */
const SLACKS = [1, 1.3, 2, Number.POSITIVE_INFINITY];
/** For what remains while a mix is rounded. */
const LATE_SLACKS = [1.3, Number.POSITIVE_INFINITY];
const MAX_SWEEPS = 60;
const MAX_DIVES = 40;
/** A fleet this close to a bound is not worth more work. */
const CLOSE_ENOUGH = 1.005;
const CLOSE_TO_MIX = 1.002;

/**
 * The cheapest fleet found that holds every task: even-share greedy fleets first; when these are not within 0.5 % of the
 * linear-programming bound, a column-generated mix of host fillings that is rounded step by step. Deterministic; the work is
 * bounded by the number of items and offers, hardly by the number of tasks. `quick` stops at the greedy fleets.
 */
export function solveFleet(
  items: readonly FleetItem[],
  offers: readonly FleetOffer[],
  effort: 'full' | 'quick' = 'full',
): Fleet {
  const knapsack = new Knapsack(items, offers);
  // No program can cover what nothing holds.
  const held = [...items.keys()].filter((i) => offers.some((_, offer) => knapsack.canHold(offer, i)));
  const solver = new FleetSolver(
    held.map((i) => items[i] as FleetItem),
    offers,
  );
  const fleet = solver.solve(effort);
  const hosts = fleet.hosts.map(({ load, ...rest }) => {
    const all = new Int32Array(items.length);
    held.forEach((i, n) => {
      all[i] = load[n] as number;
    });
    return { ...rest, load: all };
  });
  const unheld = Int32Array.from(items, ({ count }, i) => (held.includes(i) ? 0 : count));
  return { hosts, unheld, price: fleet.price };
}

class FleetSolver {
  readonly #items: readonly FleetItem[];
  readonly #offers: readonly FleetOffer[];
  readonly #worthwhile: readonly number[];
  readonly #knapsack: Knapsack;
  readonly #counts: Int32Array;

  constructor(items: readonly FleetItem[], offers: readonly FleetOffer[]) {
    this.#items = items;
    this.#offers = offers;
    this.#counts = Int32Array.from(items, ({ count }) => count);
    this.#worthwhile = frontier(offers, items);
    this.#knapsack = new Knapsack(this.#items, offers);
  }

  solve(effort: 'full' | 'quick'): Fleet {
    const dimensions = this.#items[0]?.demand.length ?? 0;
    const used = this.#worthwhile.map((offer) => this.#offers[offer] as FleetOffer);
    const bound = vectorBound(totalDemand(this.#items, dimensions), used);
    const steady = Float64Array.from(this.#items, ({ demand }) => {
      const worth = demand.reduce((sum, amount, d) => sum + amount * (bound.prices[d] as number), 0);
      return Math.max(worth, 1e-12);
    });
    const fleets = SLACKS.map((slack) => this.#greedy(steady, this.#counts, slack));
    let best = cheapest(fleets);
    if (effort === 'full' && best.price > bound.price * CLOSE_ENOUGH)
      best = cheapest([best, this.#dive(fleets, steady)]);
    return best;
  }

  #greedy(values: Float64Array, counts: Int32Array, slack: number): Fleet {
    return proportionalFleet(
      this.#items,
      this.#offers,
      this.#worthwhile,
      this.#knapsack,
      values,
      counts,
      slack,
    );
  }

  /** Rounds the column-generated mix: whole hosts are bought, the rest is mixed anew, and each rest is also tried greedily. */
  #dive(fleets: readonly Fleet[], steady: Float64Array): Fleet {
    const lp = new PatternLp(this.#items, this.#offers, this.#worthwhile, this.#knapsack);
    for (const { hosts } of fleets) for (const pattern of hosts) lp.add(pattern);
    let mix = lp.generate(this.#counts, steady, MAX_SWEEPS);
    const remaining = Int32Array.from(this.#counts);
    const bought: FleetHosts[] = [];
    let best = cheapest(fleets);
    for (let round = 0; round < MAX_DIVES; round += 1) {
      best = cheapest([
        best,
        this.#complete(bought, remaining, mix.values),
        this.#complete(bought, remaining, steady),
      ]);
      const before = fleetPrice(this.#offers, bought);
      if (best.price <= (before + mix.price) * CLOSE_TO_MIX) break;
      if (!buyWhole(mix, remaining, bought)) break;
      if (remaining.every((count) => count <= 0)) break;
      mix = lp.solve(remaining);
    }
    return best;
  }

  #complete(bought: readonly FleetHosts[], remaining: Int32Array, values: Float64Array): Fleet {
    const priced = values.map((value, i) => Math.max(value, 1e-12 * (1 + i)));
    const slacks = bought.length === 0 ? SLACKS : LATE_SLACKS;
    const rest = cheapest(slacks.map((slack) => this.#greedy(priced, remaining, slack)));
    const hosts = [...bought, ...rest.hosts];
    return { hosts, unheld: rest.unheld, price: fleetPrice(this.#offers, hosts) };
  }
}

/** Buys the mix's whole hosts, or when there are none the one nearest to whole. False when nothing can be bought. */
function buyWhole(mix: PatternMix, remaining: Int32Array, bought: FleetHosts[]): boolean {
  const byCount = [...mix.hosts].sort((a, b) => b.count - a.count);
  let any = false;
  for (const { pattern, count } of byCount) {
    const load = pattern.load.map((each, i) => Math.min(each, remaining[i] as number));
    const wanted = any ? Math.floor(count) : Math.max(1, Math.floor(count));
    const hosts = Math.min(wanted, timesWithin(load, remaining));
    if (hosts < 1 || !Number.isFinite(hosts)) continue;
    bought.push({ offer: pattern.offer, load, count: hosts });
    for (let i = 0; i < remaining.length; i += 1) {
      remaining[i] = (remaining[i] as number) - hosts * (load[i] as number);
    }
    any = true;
  }
  return any;
}

const cheapest = (fleets: readonly Fleet[]): Fleet =>
  fleets.reduce((best, fleet) => (fleet.price < best.price ? fleet : best));
