import { availableParallelism } from 'node:os';
import { parseOptions, UsageError, whole } from '../../local/cli/commandLine.ts';
import { ofSeverity } from '../../local/sim/faultRates.ts';
import { type SeedOptions, usualSeed } from '../../local/sim/seedRun.ts';

export const HELP = `Runs the control plane in virtual time under faults.

  npm run simulate -- [options]                  looks for a violation in random plans
  npm run simulate -- --workload FILE [options]  runs what is in FILE, and says how long it waited and what it cost

  --seeds N        plans to run, one a seed (1000)
  --seed N         the first seed (1); with --workload, the one that faults follow from
  --severity X     how bad things are: 1 is as usual, 0 calm
  --hosts N        hosts that the pool may have at most (${usualSeed.hosts}; with --workload 100)
  --trace FILE     writes down everything that happened in the run that failed, or in the workload's
  --json           one JSON object on standard output
  --help           this text

  --tasks N        tasks of a plan (${usualSeed.tasks})
  --jobs N         worker threads (one for each core)
  --keep-going     goes on after a violation
  --no-shrink      shows a violation as it was found

  --workload FILE  arrivals, one JSON object a line; docs/examples/workload.jsonl has some:
                   at (seconds, or a time), cpu (units, 1024 a vCPU), memory (MiB), seconds (it runs); and as wanted
                   count, priority, outcome (success, failure, outOfMemory), attempts, interruptible, source
  --types LIST     EC2 types that may be bought, with * for any characters (m6i.*,c6i.*,r6i.*)
  --max-vcpus N    the largest of them (16)

Ctrl-C ends the seeds under way and says how to go on from there. Exit codes: 0 no violation, 1 a violation, 2 the options
or the workload cannot be used, 130 interrupted.`;

export interface SimulateOptions {
  readonly seed: number;
  readonly seeds: number;
  readonly severity: number;
  readonly tasks: number;
  /** Absent: what is usual for plans, or for workloads. */
  readonly hosts?: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly shrink: boolean;
  readonly json: boolean;
  readonly trace?: string;
  readonly workload?: string;
  readonly types: readonly string[];
  readonly maxVcpus: number;
}

/** @throws UsageError */
export function readOptions(argv: readonly string[]): SimulateOptions {
  const values = parseOptions(argv, {
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
    json: { type: 'boolean', default: false },
  });
  const severity = Number(values.severity);
  if (!(severity >= 0) || !Number.isFinite(severity))
    throw new UsageError(`--severity must be a number of 0 or more; it is "${values.severity}".`);
  return {
    seed: whole('seed', values.seed),
    seeds: whole('seeds', values.seeds, { min: 1 }),
    severity,
    tasks: whole('tasks', values.tasks, { min: 1 }),
    ...(values.hosts !== undefined && { hosts: whole('hosts', values.hosts, { min: 1 }) }),
    jobs: whole('jobs', values.jobs, { min: 1, max: 1024 }),
    keepGoing: values['keep-going'],
    shrink: !values['no-shrink'],
    json: values.json,
    ...(values.trace !== undefined && { trace: values.trace }),
    ...(values.workload !== undefined && { workload: values.workload }),
    types: values.types.split(','),
    maxVcpus: whole('max-vcpus', values['max-vcpus'], { min: 1 }),
  };
}

export const seedOptionsOf = ({ tasks, hosts, severity }: SimulateOptions): SeedOptions => ({
  ...usualSeed,
  tasks,
  hosts: hosts ?? usualSeed.hosts,
  rates: ofSeverity(severity),
});

/** The command that runs these seeds of the same kind: a seed alone does not say how many tasks it stands for. */
export function commandFor(seed: number, seeds: number, options: SimulateOptions): string {
  const { tasks, hosts = usualSeed.hosts, severity, keepGoing } = options;
  return [
    `npm run simulate -- --seeds ${seeds} --seed ${seed}`,
    ...(tasks === usualSeed.tasks ? [] : [`--tasks ${tasks}`]),
    ...(hosts === usualSeed.hosts ? [] : [`--hosts ${hosts}`]),
    ...(severity === 1 ? [] : [`--severity ${severity}`]),
    ...(keepGoing && seeds > 1 ? ['--keep-going'] : []),
  ].join(' ');
}
