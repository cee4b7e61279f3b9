const RUNS = 5;
const WARM_UPS = 2;

/**
 * Median milliseconds of processor time of five runs, all threads of the process counted. Wall time on a machine that is
 * shared says how busy the others are.
 */
export function medianMs(work: () => unknown): number {
  for (let n = 0; n < WARM_UPS; n += 1) work();
  const times: number[] = [];
  for (let n = 0; n < RUNS; n += 1) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
}

export const quantile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0;
