import { type SimPlan, taskIdsOf } from './plan.ts';
import type { SimResult } from './simulation.ts';

/** What came of a workload; times in seconds, money in USD. */
export interface WorkloadReport {
  readonly tasks: number;
  /** Tasks by how they ended. */
  readonly ends: Readonly<Record<string, number>>;
  /** From a task's arrival to the first start of its process; absent for none that started. */
  readonly wait?: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly hosts: { readonly bought: number; readonly peak: number };
  readonly usd: number;
  readonly virtualHours: number;
}

export function reportOf(plan: SimPlan, result: SimResult): WorkloadReport {
  const ends: Record<string, number> = {};
  for (const end of Object.values(result.ends)) {
    const [state = ''] = end.split(' ');
    ends[state] = (ends[state] ?? 0) + 1;
  }
  const waits = plan.requests
    .flatMap((request) =>
      taskIdsOf(request).flatMap((taskId) => {
        const startedMs = result.firstStarts.get(taskId);
        return startedMs === undefined ? [] : (startedMs - request.atMs) / 1000;
      }),
    )
    .sort((a, b) => a - b);
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(waits, share));
  return {
    tasks: Object.keys(result.ends).length,
    ends,
    ...(p50 !== undefined && p99 !== undefined && max !== undefined && { wait: { p50, p99, max } }),
    hosts: { bought: result.lives.length, peak: peakOf(result.lives) },
    usd: result.cost.charged,
    virtualHours: result.endedAfterMs / 3_600_000,
  };
}

/** Nearest rank: the least of the values that so large a share does not exceed. */
const quantile = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];

/** The most that were there at one moment. */
function peakOf(lives: SimResult['lives']): number {
  const changes = lives
    .flatMap(({ fromMs, toMs }) => [
      { atMs: fromMs, by: 1 },
      { atMs: toMs, by: -1 },
    ])
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let [now, peak] = [0, 0];
  for (const { by } of changes) {
    now += by;
    peak = Math.max(peak, now);
  }
  return peak;
}
