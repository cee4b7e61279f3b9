/** A column of the covering program: what one unit covers of each row, and its cost. */
export interface Column {
  readonly covers: Float64Array;
  readonly cost: number;
}

const EPSILON = 1e-9;

/**
 * min cost.x subject to sum of covers.x >= need, x >= 0, one column at a time: revised simplex over an explicit inverse,
 * which suits few rows and columns that are only priced when asked for (Gilmore and Gomory 1961). Starts from one column a
 * row that covers just that row.
 */
export class CoverLp {
  readonly rows: number;
  readonly basis: Column[];
  readonly #inverse: Float64Array;
  readonly levels: Float64Array;
  readonly prices: Float64Array;

  /** `start[r]` covers row r alone; `need` >= 0. */
  constructor(start: readonly Column[], need: Float64Array) {
    this.rows = need.length;
    this.basis = [...start];
    this.#inverse = new Float64Array(this.rows * this.rows);
    this.levels = new Float64Array(this.rows);
    this.prices = new Float64Array(this.rows);
    for (let r = 0; r < this.rows; r += 1) {
      const covers = start[r]?.covers[r] ?? 1;
      this.#inverse[r * this.rows + r] = 1 / covers;
      this.levels[r] = (need[r] ?? 0) / covers;
    }
    this.#price();
  }

  get cost(): number {
    return this.basis.reduce((sum, column, r) => sum + column.cost * (this.levels[r] ?? 0), 0);
  }

  /** What the column would save by unit; above zero it improves the program. */
  gain(column: Column): number {
    let value = -column.cost;
    for (let r = 0; r < this.rows; r += 1) value += (this.prices[r] as number) * (column.covers[r] as number);
    return value;
  }

  /** Brings the column into the basis. False when nothing bounds it, which a covering program with costs >= 0 rules out. */
  enter(column: Column): boolean {
    const n = this.rows;
    const direction = new Float64Array(n);
    for (let i = 0; i < n; i += 1) {
      let sum = 0;
      for (let r = 0; r < n; r += 1)
        sum += (this.#inverse[i * n + r] as number) * (column.covers[r] as number);
      direction[i] = sum;
    }
    let leaves = -1;
    let step = Number.POSITIVE_INFINITY;
    for (let i = 0; i < n; i += 1) {
      const slope = direction[i] as number;
      if (slope <= EPSILON) continue;
      const ratio = (this.levels[i] as number) / slope;
      if (ratio < step - EPSILON || (ratio < step + EPSILON && slope > (direction[leaves] ?? 0))) {
        step = Math.min(step, ratio);
        leaves = i;
      }
    }
    if (leaves < 0) return false;
    this.#pivot(leaves, direction, step);
    this.basis[leaves] = column;
    this.#price();
    return true;
  }

  /** Lets rows be over-covered wherever that is cheaper: surplus columns enter until none gains. */
  relax(): void {
    for (let round = 0; round < 4 * this.rows; round += 1) {
      let worst = -1;
      for (let r = 0; r < this.rows; r += 1) {
        if (
          (this.prices[r] as number) < -EPSILON &&
          (worst < 0 || (this.prices[r] as number) < (this.prices[worst] as number))
        )
          worst = r;
      }
      if (worst < 0) return;
      const covers = new Float64Array(this.rows);
      covers[worst] = -1;
      if (!this.enter({ covers, cost: 0 })) return;
    }
  }

  #pivot(leaves: number, direction: Float64Array, step: number): void {
    const n = this.rows;
    const pivot = direction[leaves] as number;
    for (let r = 0; r < n; r += 1) {
      const at = leaves * n + r;
      this.#inverse[at] = (this.#inverse[at] as number) / pivot;
    }
    for (let i = 0; i < n; i += 1) {
      const slope = direction[i] as number;
      if (i === leaves || slope === 0) continue;
      this.levels[i] = Math.max(0, (this.levels[i] as number) - step * slope);
      for (let r = 0; r < n; r += 1) {
        const at = i * n + r;
        this.#inverse[at] = (this.#inverse[at] as number) - slope * (this.#inverse[leaves * n + r] as number);
      }
    }
    this.levels[leaves] = step;
  }

  #price(): void {
    const n = this.rows;
    this.prices.fill(0);
    for (let i = 0; i < n; i += 1) {
      const cost = this.basis[i]?.cost ?? 0;
      if (cost === 0) continue;
      for (let r = 0; r < n; r += 1) {
        this.prices[r] = (this.prices[r] as number) + cost * (this.#inverse[i * n + r] as number);
      }
    }
  }
}
