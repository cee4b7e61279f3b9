/**
 * Lets a bounded number of workers start at once, over all functions: a burst over many functions would otherwise
 * start dozens of processes on two cores and each would take as long as all together.
 */
export class StartGate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(width: number) {
    this.#free = width;
  }

  /** Runs `start` when it is its turn. */
  async pass(start: () => Promise<unknown>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await start();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
