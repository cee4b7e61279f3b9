/** What a task used over the last minutes; the figures placement may use instead of the request. */
export interface Usage {
  /** CPUs. */
  readonly cpuP50: number;
  readonly cpuP95: number;
  readonly memoryP95MiB: number;
}

export interface UsagePoint {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Five minutes of one look every ten seconds. */
const WINDOW_POINTS = 30;
const MIB = 2 ** 20;

/** Adds a point to a window, oldest out first. */
export const withPoint = (window: readonly UsagePoint[], point: UsagePoint): readonly UsagePoint[] =>
  [...window, point].slice(-WINDOW_POINTS);

/**
 * Nearest-rank percentiles of the window, rounded to two significant digits of CPU and whole MiB, so that a task at
 * rest gives the same figures each time and costs no write. Zeroes for an empty window.
 */
export function usageOf(window: readonly UsagePoint[]): Usage {
  const cpus = window.map((point) => point.cpus).toSorted((a, b) => a - b);
  const memory = window.map((point) => point.memoryBytes).toSorted((a, b) => a - b);
  return {
    cpuP50: Number(rank(cpus, 0.5).toPrecision(2)),
    cpuP95: Number(rank(cpus, 0.95).toPrecision(2)),
    memoryP95MiB: Math.round(rank(memory, 0.95) / MIB),
  };
}

const rank = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
