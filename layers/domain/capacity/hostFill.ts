import { takeGpus, WHOLE_GPU } from '../placement/gpu.ts';
import type { FleetItem, FleetOffer } from './fleet.ts';

/** One host of an offer being filled. Reused from host to host: a solver fills many thousands. */
export class HostFill {
  readonly load: Int32Array;
  readonly left: Float64Array;
  offer = -1;
  readonly #items: readonly FleetItem[];
  readonly #offers: readonly FleetOffer[];
  readonly #tokens = new Map<string, number>();
  /** Items by falling share of a GPU; undefined when none takes any. */
  readonly #byGpu: readonly number[] | undefined;

  constructor(items: readonly FleetItem[], offers: readonly FleetOffer[]) {
    this.#items = items;
    this.#offers = offers;
    this.load = new Int32Array(items.length);
    this.left = new Float64Array(items[0]?.demand.length ?? 0);
    this.#byGpu = items.some(({ gpu }) => gpu > 0) ? byGpu(items) : undefined;
  }

  start(offer: number): void {
    const of = this.#offers[offer];
    if (of === undefined) throw new RangeError(`no offer ${offer}`);
    this.offer = offer;
    this.load.fill(0);
    this.left.set(of.capacity);
    this.#tokens.clear();
  }

  /** Whether one more task of the item fits. */
  admits(i: number): boolean {
    const item = this.#items[i] as FleetItem;
    if (item.allowed[this.offer] !== 1) return false;
    const { demand } = item;
    for (let d = 0; d < demand.length; d += 1) {
      if ((demand[d] as number) > (this.left[d] as number)) return false;
    }
    for (const token of item.tokens) if ((this.#tokens.get(token) ?? 0) > 0) return false;
    return item.gpu === 0 || this.#devicesHold(i);
  }

  add(i: number): void {
    const item = this.#items[i] as FleetItem;
    for (let d = 0; d < this.left.length; d += 1) {
      this.left[d] = (this.left[d] as number) - (item.demand[d] as number);
    }
    for (const token of item.tokens) this.#tokens.set(token, (this.#tokens.get(token) ?? 0) + 1);
    this.load[i] = (this.load[i] as number) + 1;
  }

  remove(i: number): void {
    const item = this.#items[i] as FleetItem;
    for (let d = 0; d < this.left.length; d += 1) {
      this.left[d] = (this.left[d] as number) + (item.demand[d] as number);
    }
    for (const token of item.tokens) this.#tokens.set(token, (this.#tokens.get(token) ?? 0) - 1);
    this.load[i] = (this.load[i] as number) - 1;
  }

  restore(offer: number, load: Int32Array): void {
    this.start(offer);
    for (let i = 0; i < load.length; i += 1) {
      for (let k = 0; k < (load[i] as number); k += 1) this.add(i);
    }
  }

  /**
   * Whether the devices hold the load and one more of item i, largest share first. The answer depends on the load alone,
   * not on the order in which it came to be.
   */
  #devicesHold(extra: number): boolean {
    const free = new Array<number>(this.#offers[this.offer]?.gpus ?? 0).fill(WHOLE_GPU);
    for (const i of this.#byGpu ?? []) {
      const gpu = this.#items[i]?.gpu ?? 0;
      const count = (this.load[i] as number) + (i === extra ? 1 : 0);
      for (let k = 0; k < count; k += 1) if (gpu > 0 && takeGpus(free, gpu) === undefined) return false;
    }
    return true;
  }

  value(values: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.load.length; i += 1) {
      const each = this.load[i] as number;
      if (each > 0) sum += each * (values[i] as number);
    }
    return sum;
  }
}

const byGpu = (items: readonly FleetItem[]): number[] =>
  items.map((_, i) => i).sort((a, b) => (items[b]?.gpu ?? 0) - (items[a]?.gpu ?? 0));
