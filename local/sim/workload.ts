import * as v from 'valibot';
import type { InstanceType } from '../../layers/domain/model/pool.ts';
import { fitsInto } from '../../layers/domain/model/resources.ts';
import { parseStrict, sentence } from '../../layers/events/parseStrict.ts';
import { spoken } from '../../layers/events/problem.ts';
import { whole } from '../../layers/events/taskRequested/fields.ts';
import { type Behaviour, type SimPlan, type SimRequest, simPool } from './plan.ts';

/** A file of arrivals, one JSON object a line: what came, when, how large it was, how long it ran and how it ended. */
export interface WorkloadOptions {
  readonly types: readonly InstanceType[];
  readonly maxHosts: number;
}

/** A line breaks a rule; the message says which, for whoever wrote it. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError';
}

const MAX_LINES = 100_000;
/** What goes wrong goes on so long after the last arrival. */
const STORM_AFTER_MS = 300_000;

const number = (min: number, max: number, what: string) =>
  v.pipe(
    v.number(),
    v.minValue(min),
    v.maxValue(max),
    v.description(`a number from ${min} to ${max}: ${what}`),
  );
const outcomes = ['success', 'failure', 'outOfMemory'] as const;

const line = v.pipe(
  v.strictObject({
    at: v.pipe(
      v.union([
        v.pipe(v.number(), v.minValue(0), v.maxValue(1e10)),
        v.pipe(
          v.string(),
          v.check(
            (text) => Number.isFinite(Date.parse(text)),
            sentence('at must be seconds or a time.', 'Write a time as "2026-11-24T10:15:30Z".'),
          ),
        ),
      ]),
      v.description('seconds, or a time as 2026-11-24T10:15:30Z; counted from the earliest in the file'),
    ),
    cpu: whole(1, 1_000_000, 'CPU units, 1024 a vCPU'),
    memory: whole(4, 100_000_000, 'MiB'),
    seconds: number(0.001, 2_592_000, 'how long it runs'),
    count: v.exactOptional(whole(1, 1000, 'tasks of the request; 1 when left out'), 1),
    priority: v.exactOptional(whole(-100, 100, 'higher goes first; 0 when left out'), 0),
    outcome: v.exactOptional(
      v.pipe(v.picklist(outcomes), v.description(`one of ${outcomes.join(', ')}; success when left out`)),
      'success',
    ),
    attempts: v.exactOptional(whole(1, 10, 'attempts that it has; 1 when left out'), 1),
    interruptible: v.exactOptional(
      v.pipe(v.boolean(), v.description('true or false: whether it may be stopped and started elsewhere')),
      false,
    ),
    source: v.exactOptional(
      v.pipe(v.string(), v.minLength(1), v.maxLength(64), v.description('whose it is, 1 to 64 characters')),
    ),
  }),
  v.description('an object with at, cpu, memory and seconds'),
);

type Line = v.InferOutput<typeof line>;

/** @throws WorkloadError naming the first line that breaks a rule. */
export function planOfWorkload(text: string, { types, maxHosts }: WorkloadOptions): SimPlan {
  const lines = text.split(/\r?\n/).flatMap((content, index) => {
    if (content.trim() === '') return [];
    return { where: `line ${index + 1}`, arrival: arrivalOf(content, `line ${index + 1}`, types) };
  });
  if (lines.length === 0) throw new WorkloadError('The file holds no line: there is nothing to run.');
  if (lines.length > MAX_LINES)
    throw new WorkloadError(`The file holds ${lines.length} lines; at most ${MAX_LINES} are run.`);
  const [first] = lines;
  const other = lines.find(({ arrival }) => typeof arrival.at !== typeof first?.arrival.at);
  if (other !== undefined)
    throw new WorkloadError(
      `${other.where}: at has to be written as in ${first?.where}, ${shown(first?.arrival.at)}.`,
    );
  const times = lines.map(({ arrival }) => msOf(arrival.at));
  const origin = times.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
  const requests = lines.map(({ arrival }, index) => requestOf(arrival, index, (times[index] ?? 0) - origin));
  const last = requests.reduce((at, { atMs }) => Math.max(at, atMs), 0);
  return {
    requests,
    actions: [],
    types,
    pool: simPool({ instanceTypes: ['*'], maxHosts, maxHostVcpus: 1_000_000 }),
    stormMs: last + STORM_AFTER_MS,
  };
}

const shown = (at: Line['at'] | undefined): string => JSON.stringify(at);

const msOf = (at: Line['at']): number => (typeof at === 'number' ? at * 1000 : Date.parse(at));

function arrivalOf(content: string, where: string, types: readonly InstanceType[]): Line {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new WorkloadError(`${where}: must be one JSON object; ${(error as Error).message}.`);
  }
  const parsed = parseStrict(line, value);
  if (!parsed.ok) throw new WorkloadError(`${where}: ${parsed.problems.map(spoken).join(' ')}`);
  const { cpu, memory } = parsed.value;
  if (types.some(({ capacity }) => fitsInto({ cpu, memory }, capacity))) return parsed.value;
  throw new WorkloadError(
    `${where}: no host that may be bought offers ${cpu} CPU units and ${memory} MiB to tasks. Allow larger ones with --types.`,
  );
}

function requestOf(arrival: Line, index: number, atMs: number): SimRequest {
  const { count, cpu, memory, priority, interruptible, attempts, source } = arrival;
  return {
    key: `line${index}`,
    atMs,
    count,
    cpu,
    memory,
    priority,
    interruptible,
    maxAttempts: attempts,
    behaviour: behaviourOf(arrival),
    sends: 1,
    ...(source !== undefined && { source }),
  };
}

function behaviourOf({ seconds, outcome, attempts }: Line): Behaviour {
  const runMs = Math.ceil(seconds * 1000);
  if (outcome === 'outOfMemory') return { runMs, exitCode: 1, failures: attempts, outOfMemory: true };
  return { runMs, exitCode: outcome === 'failure' ? 1 : 0, failures: 0 };
}
