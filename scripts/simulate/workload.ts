import { readFileSync } from 'node:fs';
import { matchesType } from '../../layers/domain/capacity/typePattern.ts';
import { instanceTypes } from '../../local/ec2/catalogue.ts';
import { sentenceOf } from '../../local/sim/checker.ts';
import type { FaultRates } from '../../local/sim/faultRates.ts';
import { simulate } from '../../local/sim/simulation.ts';
import { planOfWorkload, WorkloadError } from '../../local/sim/workload.ts';
import { reportOf, type WorkloadReport } from '../../local/sim/workloadReport.ts';
import { writeTrace } from './explain.ts';

export interface WorkloadRun {
  readonly seed: number;
  readonly rates: FaultRates;
  readonly maxHosts: number;
  /** Patterns of the EC2 types that may be bought. */
  readonly types: readonly string[];
  readonly maxVcpus: number;
  /** Where everything that happened is written down. */
  readonly trace?: string;
  /** The report as one JSON object instead of lines. */
  readonly json: boolean;
}

/** Runs a file of arrivals and prints what came of it. Returns the exit code: 2 for a file or types that cannot be used. */
export async function simulateWorkload(file: string, run: WorkloadRun): Promise<number> {
  const types = instanceTypes().filter(
    ({ name, architecture, metal, gpus, vcpus }) =>
      architecture === 'x86_64' &&
      !metal &&
      gpus === 0 &&
      vcpus <= run.maxVcpus &&
      run.types.some((pattern) => matchesType(pattern, name)),
  );
  if (types.length === 0) {
    console.error(`No x86_64 type up to ${run.maxVcpus} vCPU is named by ${run.types.join(', ')}.`);
    return 2;
  }
  try {
    const plan = planOfWorkload(readFileSync(file, 'utf8'), { types, maxHosts: run.maxHosts });
    const traced = run.trace !== undefined;
    const result = await simulate({ seed: run.seed, plan, rates: run.rates, traced });
    const violations = result.violations.map(({ invariant, detail }) => ({
      invariant,
      sentence: sentenceOf(invariant),
      detail,
    }));
    const report = reportOf(plan, result);
    if (run.json) console.log(JSON.stringify({ ...report, violations }, undefined, 2));
    else for (const line of wordsOf(report)) console.log(line);
    if (run.trace !== undefined) writeTrace(run.trace, result.trace);
    if (!run.json)
      for (const { sentence, detail } of violations) console.log(`VIOLATION of "${sentence}": ${detail}`);
    return result.violations.length === 0 ? 0 : 1;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof WorkloadError) && code === undefined) throw error;
    console.error(`${file}: ${message}`);
    return 2;
  }
}

function wordsOf({ tasks, ends, wait, hosts, usd, virtualHours }: WorkloadReport): string[] {
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  const by = Object.entries(ends).map(([state, count]) => `${count} ${state}`);
  return [
    `tasks   ${tasks}: ${by.join(', ')}`,
    wait === undefined
      ? 'wait    none has started'
      : `wait    p50 ${seconds(wait.p50)}, p99 ${seconds(wait.p99)}, at most ${seconds(wait.max)} from arrival to start`,
    `hosts   ${hosts.peak} at the most, ${hosts.bought} bought`,
    `cost    ${usd.toFixed(4)} USD of instances, On-Demand`,
    `time    ${virtualHours.toFixed(2)} h of virtual time`,
  ];
}
