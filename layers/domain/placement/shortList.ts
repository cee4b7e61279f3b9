import { RowHeap, type RowIndex } from './rowHeap.ts';

/** Lists up to this size are ordered whole. */
const SMALL = 96;
/**
 * Share of a longer list that is kept in order; the rest is looked at again when that part is used up, and then twice the
 * share is kept, so that using up the whole list looks at it a few times only.
 */
const FIRST_SHARE = 1 / 24;
const SAMPLES = 96;

/**
 * The best rows of one list in order, the others only counted. Most classes of a pass use a few hosts of thousands, so
 * ordering them all would cost more than placing.
 */
export class ShortList {
  readonly #heap: RowHeap;
  readonly #index: RowIndex;
  #share = FIRST_SHARE;
  #cutoff = Number.POSITIVE_INFINITY;
  /** At least as many rows as are beyond the cutoff. */
  #beyond = 0;

  constructor(index: RowIndex) {
    this.#index = index;
    this.#heap = new RowHeap(index);
  }

  /** Takes rows whose keys stand in the index. */
  fill(rows: Int32Array): void {
    this.#heap.clear();
    this.#beyond = 0;
    const whole = rows.length <= SMALL || this.#share >= 1;
    this.#cutoff = whole ? Number.POSITIVE_INFINITY : this.#sampleCutoff(rows);
    for (const row of rows) {
      if ((this.#index.keys[row] as number) <= this.#cutoff) this.#heap.append(row);
      else this.#beyond += 1;
    }
    this.#heap.order();
    this.#share *= 2;
  }

  #sampleCutoff(rows: Int32Array): number {
    const step = rows.length / SAMPLES;
    const sample = new Float64Array(SAMPLES);
    for (let n = 0; n < SAMPLES; n += 1) {
      sample[n] = this.#index.keys[rows[Math.floor(n * step)] as number] as number;
    }
    sample.sort();
    return sample[Math.floor(SAMPLES * this.#share)] as number;
  }

  update(row: number, key: number): void {
    if (key <= this.#cutoff) {
      this.#heap.set(row, key);
      return;
    }
    this.#heap.remove(row);
    this.#beyond += 1;
  }

  remove(row: number): void {
    this.#heap.remove(row);
  }

  /** The best row, or -1. */
  top(): number {
    return this.#heap.top();
  }

  /** The ordered part is used up while rows beyond it may be left. */
  get spent(): boolean {
    return this.#beyond > 0 && this.#heap.top() < 0;
  }
}
