import { writeFileSync } from 'node:fs';
import { sentenceOf } from '../../local/sim/checker.ts';
import { caseOf, runCase } from '../../local/sim/seedRun.ts';
import { shrink } from '../../local/sim/shrink.ts';
import { linesAbout } from '../../local/sim/trace.ts';
import { commandFor, type SimulateOptions, seedOptionsOf } from './options.ts';
import type { Failure } from './seedSearch.ts';

const MAX_TRACE_LINES = 200;
const MAX_LINE = 240;

/** Prints the smallest run that still violates the sentence, as a timeline of what it is about. */
export async function explain({ seed, violation }: Failure, options: SimulateOptions): Promise<void> {
  console.log(`\nseed ${seed} violates: ${sentenceOf(violation.invariant)}`);
  const failing = caseOf(seed, seedOptionsOf(options));
  const { smallest, runs } = options.shrink
    ? await shrink(failing, violation.invariant, undefined)
    : { smallest: failing, runs: 0 };
  const { trace, violations } = await runCase(smallest, { traced: true });
  const { requests, actions } = smallest.plan;
  const faults = Object.entries(smallest.rates).flatMap(([kind, rate]) => (rate > 0 ? [kind] : []));
  console.log(
    `shrunk in ${runs} runs to ${requests.length} requests, ${actions.length} actions, faults: ${faults.join(', ') || 'none'}`,
  );
  const [found] = violations;
  const lines = linesAbout(trace, found?.about ?? []).slice(-MAX_TRACE_LINES);
  for (const line of lines) console.log(line.slice(0, MAX_LINE));
  if (found !== undefined) console.log(`${found.invariant}: ${found.detail}`);
  console.log(`replay: ${commandFor(seed, 1, options)}`);
  if (options.trace !== undefined) writeTrace(options.trace, trace);
}

/** Writes down everything that happened in the run as it was found. */
export async function traceOf({ seed }: Failure, options: SimulateOptions): Promise<void> {
  if (options.trace === undefined) return;
  const { trace } = await runCase(caseOf(seed, seedOptionsOf(options)), { traced: true });
  writeTrace(options.trace, trace);
}

/** Says so beside the output, which may be for a program. */
export function writeTrace(file: string, trace: readonly string[]): void {
  writeFileSync(file, `${trace.join('\n')}\n`);
  console.error(`the whole trace is in ${file}`);
}
