/** Where each row stands in its heap, and its key; shared by heaps whose rows are disjoint. */
export interface RowIndex {
  /** Position in its heap; -1 while in none. */
  readonly positions: Int32Array;
  readonly keys: Float64Array;
}

export const rowIndex = (rows: number): RowIndex => ({
  positions: new Int32Array(rows).fill(-1),
  keys: new Float64Array(rows),
});

/** Binary heap of rows, least key first and least row among equals, in which a row's key can change in place. */
export class RowHeap {
  readonly #rows: number[] = [];
  readonly #index: RowIndex;

  constructor(index: RowIndex) {
    this.#index = index;
  }

  /** The best row, or -1. */
  top(): number {
    return this.#rows[0] ?? -1;
  }

  /** Adds a row whose key is set, without ordering; `order` must follow before the next `top`. */
  append(row: number): void {
    this.#index.positions[row] = this.#rows.length;
    this.#rows.push(row);
  }

  order(): void {
    for (let at = (this.#rows.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  set(row: number, key: number): void {
    const at = this.#index.positions[row] as number;
    this.#index.keys[row] = key;
    if (at < 0) {
      this.#index.positions[row] = this.#rows.length;
      this.#rows.push(row);
      this.#rise(this.#rows.length - 1);
      return;
    }
    this.#rise(at);
    this.#sink(this.#index.positions[row] as number);
  }

  remove(row: number): void {
    const at = this.#index.positions[row] as number;
    if (at < 0) return;
    const last = this.#rows.pop() as number;
    this.#index.positions[row] = -1;
    if (last === row) return;
    this.#rows[at] = last;
    this.#index.positions[last] = at;
    this.#rise(at);
    this.#sink(this.#index.positions[last] as number);
  }

  clear(): void {
    for (const row of this.#rows) this.#index.positions[row] = -1;
    this.#rows.length = 0;
  }

  #before(a: number, b: number): boolean {
    const { keys } = this.#index;
    const [left, right] = [keys[a] as number, keys[b] as number];
    return left < right || (left === right && a < b);
  }

  #put(at: number, row: number): void {
    this.#rows[at] = row;
    this.#index.positions[row] = at;
  }

  #rise(from: number): void {
    let at = from;
    const row = this.#rows[at] as number;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#rows[parent] as number;
      if (!this.#before(row, above)) break;
      this.#put(at, above);
      at = parent;
    }
    this.#put(at, row);
  }

  #sink(from: number): void {
    let at = from;
    const size = this.#rows.length;
    const row = this.#rows[at] as number;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.#before(this.#rows[right] as number, this.#rows[child] as number))
        child = right;
      const below = this.#rows[child] as number;
      if (!this.#before(below, row)) break;
      this.#put(at, below);
      at = child;
    }
    this.#put(at, row);
  }
}
