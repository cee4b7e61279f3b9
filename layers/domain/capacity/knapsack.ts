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
  /** Demands row by row, and room to compute in. */
  readonly #demands: Float64Array;
  readonly #scale: Float64Array;

  constructor(items: readonly FleetItem[], offers: readonly FleetOffer[]) {
    this.#items = items;
    this.#offers = offers;
    this.#fill = new HostFill(items, offers);
    this.#trial = new HostFill(items, offers);
    const width = items[0]?.demand.length ?? 0;
    this.#demands = new Float64Array(items.length * width);
    items.forEach(({ demand }, i) => {
      this.#demands.set(demand, i * width);
    });
    this.#scale = new Float64Array(width);
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
    const { left, load } = fill;
    const width = left.length;
    const demands = this.#demands;
    const scale = this.#scale;
    for (;;) {
      for (let d = 0; d < width; d += 1) scale[d] = 1 / Math.max(1e-9, left[d] as number);
      let chosen = -1;
      let most = 0;
      let chosenShare = 1;
      for (let n = 0; n < useful.length; n += 1) {
        const i = useful[n] as number;
        if (i === without || (load[i] as number) >= (limits[i] as number)) continue;
        let share = 1e-9;
        let largest = 0;
        for (let d = 0; d < width; d += 1) {
          const part = (demands[i * width + d] as number) * (scale[d] as number);
          share += part;
          if (part > largest) largest = part;
        }
        // A demand that exceeds what is left has a share above one; the hair allows for rounding, `admits` decides.
        if (largest > 1 + 1e-9) continue;
        const value = values[i] as number;
        if (value * chosenShare <= most * share || !fill.admits(i)) continue;
        most = value;
        chosenShare = share;
        chosen = i;
      }
      if (chosen < 0) return;
      const steps = Math.max(1, Math.floor(STEP_SHARE / chosenShare));
      for (let k = 0; k < steps; k += 1) {
        if ((load[chosen] as number) >= (limits[chosen] as number) || !fill.admits(chosen)) break;
        fill.add(chosen);
      }
    }
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
