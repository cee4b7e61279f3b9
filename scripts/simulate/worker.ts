import { parentPort } from 'node:worker_threads';
import type { Violation } from '../../local/sim/checker.ts';
import { caseOf, runCase, type SeedOptions } from '../../local/sim/seedRun.ts';

export interface SeedTask {
  readonly seed: number;
  readonly options: SeedOptions;
}

export interface SeedReport {
  readonly seed: number;
  readonly virtualMs: number;
  readonly points: number;
  readonly violation: Violation | undefined;
  /** Of this worker's thread, since it began. */
  readonly cpuMs: number;
}

parentPort?.on('message', async ({ seed, options }: SeedTask) => {
  const { endedAfterMs, points, violations } = await runCase(caseOf(seed, options));
  const { user, system } = process.threadCpuUsage();
  const report: SeedReport = {
    seed,
    points,
    virtualMs: endedAfterMs,
    violation: violations[0],
    cpuMs: (user + system) / 1000,
  };
  parentPort?.postMessage(report);
});
