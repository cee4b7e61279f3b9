import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { sentenceOf, type Violation } from '../local/sim/checker.ts';
import { ofSeverity } from '../local/sim/faultRates.ts';
import { caseOf, runCase, type SeedOptions, usualSeed } from '../local/sim/seedRun.ts';
import { shrink } from '../local/sim/shrink.ts';
import { linesAbout } from '../local/sim/trace.ts';
import type { SeedReport } from './simulateWorker.ts';
import { simulateWorkload } from './simulateWorkload.ts';

const usage = `Runs the control plane in virtual time under faults.

  npm run simulate -- [options]                  looks for a violation in random plans
  npm run simulate -- --workload FILE [options]  runs what is in FILE, and says how long it waited and what it cost

  --seeds N        plans to run, one a seed (1000)
  --seed N         the first seed (1); with --workload, the one that faults follow from
  --severity X     how bad things are: 1 is as usual, 0 calm
  --hosts N        hosts that the pool may have at most (${usualSeed.hosts}; with --workload 100)
  --trace FILE     writes down everything that happened in the run that failed, or in the workload's
  --help           this text

  --tasks N        tasks of a plan (${usualSeed.tasks})
  --jobs N         worker threads (one for each core)
  --keep-going     goes on after a violation
  --no-shrink      shows a violation as it was found

  --workload FILE  arrivals, one JSON object a line; docs/examples/workload.jsonl has some:
                   at (seconds, or a time), cpu (units, 1024 a vCPU), memory (MiB), seconds (it runs); and as wanted
                   count, priority, outcome (success, failure, outOfMemory), attempts, interruptible, source
  --types LIST     EC2 types that may be bought, with * for any characters (m6i.*,c6i.*,r6i.*)
  --max-vcpus N    the largest of them (16)`;
const MAX_TRACE_LINES = 200;
const MAX_LINE = 240;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'string' },
    tasks: { type: 'string', default: String(usualSeed.tasks) },
    hosts: { type: 'string' },
    workload: { type: 'string' },
    types: { type: 'string', default: 'm6i.*,c6i.*,r6i.*' },
    'max-vcpus': { type: 'string', default: '16' },
    severity: { type: 'string', default: '1' },
    'keep-going': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} has to be a whole number, not "${text}".\n${usage}`);
}

interface Search {
  readonly first: number;
  readonly count: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly options: SeedOptions;
}

interface Progress {
  done: number;
  virtualMs: number;
  points: number;
  readonly startMs: number;
  readonly cpuMs: number[];
  readonly failures: { readonly seed: number; readonly violation: Violation }[];
}

const speedOf = ({ done, startMs, cpuMs }: Progress): string => {
  const cpu = cpuMs.reduce((sum, ms) => sum + ms, 0) / 1000;
  const wall = (performance.now() - startMs) / 1000;
  return `${(done / wall).toFixed(1)} seeds/s, ${(done / cpu).toFixed(1)} per CPU second`;
};

/** Hands seeds to workers, one at a time each, until they are through or one has failed. */
async function search({ first, count, jobs, keepGoing, options }: Search): Promise<Progress> {
  const progress: Progress = {
    done: 0,
    virtualMs: 0,
    points: 0,
    startMs: performance.now(),
    cpuMs: [],
    failures: [],
  };
  let next = first;
  let shownMs = 0;
  const file = new URL('./simulateWorker.ts', import.meta.url);
  const work = async (job: number): Promise<void> => {
    const worker = new Worker(file);
    try {
      while (next < first + count && (keepGoing || progress.failures.length === 0)) {
        const seed = next++;
        worker.postMessage({ seed, options });
        const [report] = (await once(worker, 'message')) as [SeedReport];
        progress.done += 1;
        progress.virtualMs += report.virtualMs;
        progress.points += report.points;
        progress.cpuMs[job] = report.cpuMs;
        if (report.violation !== undefined) progress.failures.push({ seed, violation: report.violation });
        if (process.stderr.isTTY && performance.now() - shownMs > 200) {
          shownMs = performance.now();
          showBar(progress, count);
        }
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, (_, job) => work(job)));
  if (process.stderr.isTTY) process.stderr.write('\n');
  progress.failures.sort((a, b) => a.seed - b.seed);
  return progress;
}

function showBar(progress: Progress, count: number): void {
  const bar = '#'.repeat(Math.round((20 * progress.done) / count)).padEnd(20, '.');
  const { done, failures } = progress;
  process.stderr.write(`\r[${bar}] ${done}/${count}  ${speedOf(progress)}  ${failures.length} violations `);
}

/** The smallest run that still violates the sentence, as a timeline of what it is about. */
async function explain(seed: number, violation: Violation, options: SeedOptions): Promise<void> {
  console.log(`\nseed ${seed} violates: ${sentenceOf(violation.invariant)}`);
  const failing = caseOf(seed, options);
  const { smallest, runs } = values['no-shrink']
    ? { smallest: failing, runs: 0 }
    : await shrink(failing, violation.invariant, undefined);
  const { trace, violations } = await runCase(smallest, { traced: true });
  const { requests, actions } = smallest.plan;
  const faults = Object.entries(smallest.rates).flatMap(([kind, rate]) => (rate > 0 ? [kind] : []));
  console.log(
    `shrunk in ${runs} runs to ${requests.length} requests, ${actions.length} actions, faults: ${faults.join(', ') || 'none'}`,
  );
  const [found] = violations;
  const lines = linesAbout(trace, found?.about ?? []).slice(-MAX_TRACE_LINES);
  for (const line of lines) console.log(line.slice(0, MAX_LINE));
  console.log(found === undefined ? '' : `${found.invariant}: ${found.detail}`);
  console.log(`replay: npm run simulate -- --seeds 1 --seed ${seed}`);
  if (values.trace !== undefined) {
    writeFileSync(values.trace, `${trace.join('\n')}\n`);
    console.log(`the whole trace is in ${values.trace}`);
  }
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(usage);
    return;
  }
  if (values.workload !== undefined) {
    process.exitCode = await simulateWorkload(values.workload, {
      seed: whole('seed', values.seed),
      rates: ofSeverity(Number(values.severity)),
      maxHosts: whole('hosts', values.hosts ?? '100'),
      types: values.types.split(','),
      maxVcpus: whole('max-vcpus', values['max-vcpus']),
      ...(values.trace !== undefined && { trace: values.trace }),
    });
    return;
  }
  const options: SeedOptions = {
    ...usualSeed,
    tasks: whole('tasks', values.tasks),
    hosts: whole('hosts', values.hosts ?? String(usualSeed.hosts)),
    rates: ofSeverity(Number(values.severity)),
  };
  const [first, count] = [whole('seed', values.seed), whole('seeds', values.seeds)];
  const jobs = Math.max(1, whole('jobs', values.jobs));
  const progress = await search({ first, count, jobs, keepGoing: values['keep-going'], options });
  const days = (progress.virtualMs / 86_400_000).toFixed(1);
  const what = `${days} days of virtual time, ${progress.points} calls of ports`;
  console.log(`${progress.done} seeds from ${first}: ${what}, ${speedOf(progress)}, ${jobs} jobs`);
  for (const { seed, violation } of progress.failures) {
    console.log(`seed ${seed}: ${violation.invariant}: ${violation.detail}`);
  }
  const [failure] = progress.failures;
  if (failure === undefined) {
    console.log('No violation.');
    return;
  }
  process.exitCode = 1;
  await explain(failure.seed, failure.violation, options);
}

await main();
