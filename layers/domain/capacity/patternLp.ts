import { type Column, CoverLp } from './coverLp.ts';
import type { FleetItem, FleetOffer } from './fleet.ts';
import { HostFill } from './hostFill.ts';
import type { Knapsack } from './knapsack.ts';

/** A way to fill a host of an offer. */
export interface Pattern {
  readonly offer: number;
  readonly load: Int32Array;
}

export interface PatternMix {
  /** Patterns in use with the (fractional) number of hosts of each. */
  readonly hosts: readonly { readonly pattern: Pattern; readonly count: number }[];
  /** What one task of each item costs in the mix. */
  readonly values: Float64Array;
  readonly price: number;
}

interface PatternColumn extends Column, Pattern {}

const GAIN = 1e-6;
const FIRST_PULL = 0.8;
const LEAST_PULL = 0.05;

/**
 * The cheapest fractional mix of host fillings that covers every item: column generation (Gilmore and Gomory 1961), new
 * fillings being found by the knapsack at prices pulled towards the best known feasible ones, without which they swing so
 * far that most fillings are never used again (Wentges 1997).
 */
export class PatternLp {
  readonly #items: readonly FleetItem[];
  readonly #offers: readonly FleetOffer[];
  readonly #worthwhile: readonly number[];
  readonly #knapsack: Knapsack;
  readonly #columns: PatternColumn[] = [];
  readonly #singles: readonly (PatternColumn | undefined)[];

  constructor(
    items: readonly FleetItem[],
    offers: readonly FleetOffer[],
    worthwhile: readonly number[],
    knapsack: Knapsack,
  ) {
    this.#items = items;
    this.#offers = offers;
    this.#worthwhile = worthwhile;
    this.#knapsack = knapsack;
    this.#singles = singleFillings(items, offers, worthwhile);
  }

  add(pattern: Pattern): void {
    this.#columns.push(this.#columnOf(pattern));
  }

  #columnOf({ offer, load }: Pattern): PatternColumn {
    return { offer, load, covers: Float64Array.from(load), cost: this.#offers[offer]?.price ?? 0 };
  }

  /** The best mix of the patterns known that covers `counts`. */
  solve(counts: Int32Array): PatternMix {
    return this.#mixOf(this.#programOf(counts));
  }

  /** Adds patterns until no more gain is found, or for `maxSweeps` over all offers. `steady` are feasible prices to start from. */
  generate(counts: Int32Array, steady: Float64Array, maxSweeps: number): PatternMix {
    const lp = this.#programOf(counts);
    let centre = steady;
    let proven = 0;
    let pull = FIRST_PULL;
    const trial = new Float64Array(this.#items.length);
    for (let sweep = 0; sweep < maxSweeps; sweep += 1) {
      for (let i = 0; i < trial.length; i += 1) {
        trial[i] = pull * (centre[i] as number) + (1 - pull) * Math.max(0, lp.prices[i] as number);
      }
      const { entered, scale } = this.#sweep(lp, trial, counts);
      const worth = scale * dot(trial, counts);
      if (worth > proven) {
        proven = worth;
        centre = trial.map((value) => value * scale);
      }
      this.#improve(lp);
      if (entered > 0) continue;
      if (pull < LEAST_PULL) break;
      pull *= 0.5;
    }
    return this.#mixOf(lp);
  }

  /** One filling of each offer at the trial prices; `scale` makes those prices feasible as far as the knapsack can tell. */
  #sweep(lp: CoverLp, trial: Float64Array, counts: Int32Array): { entered: number; scale: number } {
    let entered = 0;
    let scale = 1;
    for (const offer of this.#worthwhile) {
      const filled = this.#knapsack.best(offer, trial, counts);
      const column = this.#columnOf(filled);
      if (filled.value > 0) scale = Math.min(scale, column.cost / filled.value);
      if (lp.gain(column) <= column.cost * GAIN) continue;
      this.#columns.push(column);
      entered += 1;
    }
    return { entered, scale };
  }

  #programOf(counts: Int32Array): CoverLp {
    const start = this.#singles.map((single) => {
      if (single === undefined)
        throw new RangeError('an item that no offer holds has no place in the program');
      return single;
    });
    const lp = new CoverLp(start, Float64Array.from(counts));
    this.#improve(lp);
    return lp;
  }

  #improve(lp: CoverLp): void {
    const maxPivots = 20 * lp.rows + 200;
    for (let pivot = 0; pivot < maxPivots; pivot += 1) {
      lp.relax();
      let best: PatternColumn | undefined;
      let most = GAIN;
      for (const column of this.#columns) {
        const gain = lp.gain(column) / column.cost;
        if (gain > most) {
          most = gain;
          best = column;
        }
      }
      if (best === undefined || !lp.enter(best)) break;
    }
    lp.relax();
  }

  #mixOf(lp: CoverLp): PatternMix {
    const hosts: { pattern: Pattern; count: number }[] = [];
    lp.basis.forEach((column, row) => {
      const count = lp.levels[row] as number;
      if ('load' in column && count > 1e-9) hosts.push({ pattern: column as PatternColumn, count });
    });
    return { hosts, values: lp.prices.map((price) => Math.max(0, price)), price: lp.cost };
  }
}

const dot = (a: Float64Array, b: Int32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

/** For each item the cheapest host a task when nothing but the item is put on it: a mix to start from. */
function singleFillings(
  items: readonly FleetItem[],
  offers: readonly FleetOffer[],
  worthwhile: readonly number[],
): (PatternColumn | undefined)[] {
  const fill = new HostFill(items, offers);
  return items.map(({ count: limit }, i) => {
    let best: PatternColumn | undefined;
    for (const offer of worthwhile) {
      fill.start(offer);
      while ((fill.load[i] as number) < limit && fill.admits(i)) fill.add(i);
      const count = fill.load[i] as number;
      const cost = offers[offer]?.price ?? 0;
      if (count === 0 || (best !== undefined && cost / count >= best.cost / (best.covers[i] as number)))
        continue;
      const load = Int32Array.from(fill.load);
      best = { offer, load, cost, covers: Float64Array.from(load) };
    }
    return best;
  });
}
