import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Violation } from '../../local/sim/checker.ts';
import type { SeedOptions } from '../../local/sim/seedRun.ts';
import type { SeedReport, SeedTask } from './worker.ts';

export interface Failure {
  readonly seed: number;
  readonly violation: Violation;
}

/** Of the seeds that have run. They follow each other without a gap once the search is over. */
export interface Tally {
  readonly first: number;
  readonly done: number;
  readonly virtualMs: number;
  /** Calls of ports. */
  readonly points: number;
  /** Of real time, and of processor time in all workers. */
  readonly wallMs: number;
  readonly cpuMs: number;
  /** By seed. */
  readonly failures: readonly Failure[];
}

export interface Search {
  readonly first: number;
  readonly count: number;
  readonly jobs: number;
  /** Goes on after a violation. */
  readonly keepGoing: boolean;
  readonly options: SeedOptions;
  /** Ends the search when those under way have ended. */
  readonly signal: AbortSignal;
  /** Called after each seed, with its violation if it has one. */
  readonly onSeed: (tally: Tally, failure: Failure | undefined) => void;
}

/** Hands seeds to worker threads, one at a time each. @throws Error that names the seed whose worker came to grief. */
export async function searchSeeds(search: Search): Promise<Tally> {
  const { first, count, jobs, keepGoing, options, signal, onSeed } = search;
  const startMs = performance.now();
  const cpuMs: number[] = [];
  const failures: Failure[] = [];
  let [next, done, virtualMs, points] = [first, 0, 0, 0];
  const tally = (): Tally => ({
    first,
    done,
    virtualMs,
    points,
    wallMs: performance.now() - startMs,
    cpuMs: cpuMs.reduce((sum, ms) => sum + ms, 0),
    failures: failures.toSorted((a, b) => a.seed - b.seed),
  });
  const goesOn = (): boolean =>
    next < first + count && !signal.aborted && (keepGoing || failures.length === 0);

  const work = async (job: number): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      while (goesOn()) {
        const seed = next++;
        const report = await runIn(worker, { seed, options });
        done += 1;
        virtualMs += report.virtualMs;
        points += report.points;
        cpuMs[job] = report.cpuMs;
        const failure = report.violation && { seed, violation: report.violation };
        if (failure !== undefined) failures.push(failure);
        onSeed(tally(), failure);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, (_, job) => work(job)));
  return tally();
}

async function runIn(worker: Worker, task: SeedTask): Promise<SeedReport> {
  worker.postMessage(task);
  try {
    const [report] = (await once(worker, 'message')) as [SeedReport];
    return report;
  } catch (cause) {
    throw new Error(`Seed ${task.seed} ended its worker: ${(cause as Error).message}`, { cause });
  }
}
