import { sentenceOf } from '../../local/sim/checker.ts';
import { explain, traceOf } from './explain.ts';
import { commandFor, type SimulateOptions, seedOptionsOf } from './options.ts';
import { perSecond, searchProgress, speedOf } from './progress.ts';
import { searchSeeds, type Tally } from './seedSearch.ts';

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
const DAY_MS = 86_400_000;

/** Runs random plans, prints what came of them, and returns the exit code. */
export async function simulateSeeds(options: SimulateOptions): Promise<number> {
  const { seed: first, seeds: count, jobs, keepGoing } = options;
  const stopping = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = (signal: keyof typeof exitCodes): void => stopping.abort(signal);
  // Once: whoever asks again wants the end at once.
  for (const signal of signals) process.once(signal, stop);
  const progress = searchProgress(count, process.stderr);
  const tally = await searchSeeds({
    first,
    count,
    jobs,
    keepGoing,
    options: seedOptionsOf(options),
    signal: stopping.signal,
    onSeed: progress.seed,
  });
  progress.end();
  for (const signal of signals) process.off(signal, stop);

  const interrupted = stopping.signal.aborted
    ? exitCodes[stopping.signal.reason as keyof typeof exitCodes]
    : undefined;
  const left = count - tally.done;
  const goOn =
    interrupted !== undefined && left > 0 ? commandFor(first + tally.done, left, options) : undefined;
  if (options.json) {
    console.log(JSON.stringify(asJson(tally, options, goOn), undefined, 2));
    const [failure] = tally.failures;
    if (failure !== undefined && interrupted === undefined) await traceOf(failure, options);
  } else await tell(tally, options, goOn);
  return interrupted ?? (tally.failures.length > 0 ? 1 : 0);
}

async function tell(tally: Tally, options: SimulateOptions, goOn: string | undefined): Promise<void> {
  const days = (tally.virtualMs / DAY_MS).toFixed(1);
  const what = `${days} days of virtual time, ${tally.points} calls of ports`;
  console.log(`${tally.done} seeds from ${tally.first}: ${what}, ${speedOf(tally)}, ${options.jobs} jobs`);
  for (const { seed, violation } of tally.failures)
    console.log(`seed ${seed}: ${violation.invariant}: ${violation.detail}`);
  const [failure] = tally.failures;
  if (failure === undefined) console.log('No violation.');
  if (goOn !== undefined) console.log(`Interrupted. The others: ${goOn}`);
  else if (failure !== undefined) await explain(failure, options);
}

const asJson = (tally: Tally, options: SimulateOptions, goOn: string | undefined): object => ({
  first: tally.first,
  seeds: tally.done,
  virtualDays: tally.virtualMs / DAY_MS,
  portCalls: tally.points,
  jobs: options.jobs,
  seedsPerSecond: perSecond(tally.done, tally.wallMs),
  seedsPerCpuSecond: perSecond(tally.done, tally.cpuMs),
  violations: tally.failures.map(({ seed, violation: { invariant, detail } }) => ({
    seed,
    invariant,
    sentence: sentenceOf(invariant),
    detail,
    replay: commandFor(seed, 1, options),
  })),
  ...(goOn !== undefined && { goOn }),
});
