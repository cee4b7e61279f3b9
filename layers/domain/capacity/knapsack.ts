import type { FleetItem, FleetOffer } from './fleet.ts';
import { HostFill } from './hostFill.ts';

export interface Filled {
  readonly offer: number;
  readonly load: Int32Array;
  readonly value: number;
}

/** A step adds this share of what still fits, so that a large host is not filled one small task at a time. */
const STEP_SHARE = 0.25;
const REPAIR_ROUNDS = 2;

/**
 * Fills hosts with the most valuable load. The exact answer is a multi-dimensional knapsack; this takes the best of
 * greedy fills by value per weighted share of the host, each dimension weighed in turn and then by what is left of it, and
 * repairs it by taking one task out and filling again.
 */
export class Knapsack {
  readonly #items: readonly FleetItem[];
  readonly #offers: readonly FleetOffer[];
  readonly #fill: HostFill;
  readonly #trial: HostFill;

  constructor(items: readonly FleetItem[], offers: readonly FleetOffer[]) {
    this.#items = items;
    this.#offers = offers;
    this.#fill = new HostFill(items, offers);
    this.#trial = new HostFill(items, offers);
  }

  /** The best load found; `limits[i]` bounds the tasks of item i. */
  best(offer: number, values: Float64Array, limits: Int32Array): Filled {
    const useful = this.#useful(offer, values, limits);
    const dimensions = this.#fill.left.length;
    let best: Filled = { offer, load: new Int32Array(limits.length), value: 0 };
    for (let focus = -1; focus < dimensions; focus += 1) {
      this.#fill.start(offer);
      if (focus < 0) this.#byWhatIsLeft(this.#fill, useful, values, limits, -1);
      else this.#byFocus(this.#fill, useful, values, limits, focus);
      const value = this.#fill.value(values);
      if (value > best.value) best = { offer, load: Int32Array.from(this.#fill.load), value };
    }
    return this.#repair(best, useful, values, limits);
  }

  canHold(offer: number, i: number): boolean {
    this.#fill.start(offer);
    return this.#fill.admits(i);
  }

  #useful(offer: number, values: Float64Array, limits: Int32Array): number[] {
    const useful: number[] = [];
    this.#fill.start(offer);
    for (let i = 0; i < limits.length; i += 1) {
      if ((limits[i] as number) > 0 && (values[i] as number) > 0 && this.#fill.admits(i)) useful.push(i);
    }
    return useful;
  }

  /** Value per share of the dimension in focus, the others weighing a little. */
  #byFocus(
    fill: HostFill,
    useful: readonly number[],
    values: Float64Array,
    limits: Int32Array,
    focus: number,
  ): void {
    const capacity = this.#offers[fill.offer]?.capacity ?? new Float64Array(0);
    const density = (i: number): number => {
      let share = 1e-9;
      const demand = (this.#items[i] as FleetItem).demand;
      for (let d = 0; d < demand.length; d += 1) {
        const of = capacity[d] as number;
        if (of > 0) share += ((d === focus ? 1 : 0.1) * (demand[d] as number)) / of;
      }
      return (values[i] as number) / share;
    };
    const order = useful
      .map((i) => ({ i, density: density(i) }))
      .sort((a, b) => b.density - a.density || a.i - b.i);
    for (const { i } of order)
      while ((fill.load[i] as number) < (limits[i] as number) && fill.admits(i)) fill.add(i);
  }

  /** Value per share of what is left, looked at again after every step. */
  #byWhatIsLeft(
    fill: HostFill,
    useful: readonly number[],
    values: Float64Array,
    limits: Int32Array,
    without: number,
  ): void {
    for (;;) {
      let chosen = -1;
      let most = 0;
      for (const i of useful) {
        if (i === without || (fill.load[i] as number) >= (limits[i] as number) || !fill.admits(i)) continue;
        const density = (values[i] as number) / this.#shareOfLeft(fill, i);
        if (density > most) {
          most = density;
          chosen = i;
        }
      }
      if (chosen < 0) return;
      const share = this.#shareOfLeft(fill, chosen);
      const steps = Math.max(1, Math.floor(STEP_SHARE / share));
      for (let k = 0; k < steps; k += 1) {
        if ((fill.load[chosen] as number) >= (limits[chosen] as number) || !fill.admits(chosen)) break;
        fill.add(chosen);
      }
    }
  }

  #shareOfLeft(fill: HostFill, i: number): number {
    const demand = (this.#items[i] as FleetItem).demand;
    let share = 1e-9;
    for (let d = 0; d < demand.length; d += 1) {
      const amount = demand[d] as number;
      if (amount > 0) share += amount / (fill.left[d] as number);
    }
    return share;
  }

  #repair(best: Filled, useful: readonly number[], values: Float64Array, limits: Int32Array): Filled {
    let current = best;
    for (let round = 0; round < REPAIR_ROUNDS; round += 1) {
      let improved = false;
      for (const i of useful) {
        if ((current.load[i] as number) === 0) continue;
        this.#trial.restore(current.offer, current.load);
        this.#trial.remove(i);
        this.#byWhatIsLeft(this.#trial, useful, values, limits, i);
        const value = this.#trial.value(values);
        if (value <= current.value * (1 + 1e-9)) continue;
        current = { offer: current.offer, load: Int32Array.from(this.#trial.load), value };
        improved = true;
      }
      if (!improved) break;
    }
    return current;
  }
}
