import type { HostReport, TaskReport } from '../layers/domain/isolation/hostReport.ts';
import { usageOf } from '../layers/domain/isolation/usageWindow.ts';
import type { TaskEntry } from './taskTable.ts';
import type { TaskWatch } from './taskWatch.ts';

/** Berth's id of the task, or ECS's for a task that others launched. */
export const reportKey = (entry: Pick<TaskEntry, 'containers' | 'taskArn'>): string => {
  const known = [...entry.containers.values()].find(({ taskId }) => taskId !== undefined)?.taskId;
  return known ?? entry.taskArn.split('/').at(-1) ?? entry.taskArn;
};

/** What is told of one task. */
export function taskReport(entry: TaskEntry, watch: TaskWatch | undefined): TaskReport {
  const views = [...entry.containers.values()];
  const attempt = views.find((view) => view.attempt !== undefined)?.attempt;
  const family = views.find((view) => view.family !== undefined)?.family;
  const failures = entry.results
    .filter(({ outcome }) => outcome === 'failed' || outcome === 'deferred')
    .map(({ file, detail }) => `${file}: ${detail ?? 'failed'}`);
  const problems = new Set(views.flatMap(({ profileProblem }) => profileProblem ?? []));
  const counters = watch?.counters;
  return {
    ...(attempt === undefined ? {} : { attempt }),
    ...(family === undefined ? {} : { family }),
    applied: entry.appliedOnce && failures.length === 0,
    inTime: entry.inTime,
    ...(entry.lateMs === undefined ? {} : { lateMs: entry.lateMs }),
    refused: [
      ...(entry.desired?.refused ?? []),
      ...[...problems].map((reason) => ({ knob: 'isolation', reason })),
      ...(entry.pinRefusal === undefined ? [] : [{ knob: 'cpu.pinned', reason: entry.pinRefusal }]),
    ],
    failures,
    ...(watch === undefined || watch.window.length === 0 ? {} : { usage: usageOf(watch.window) }),
    oomKills: counters?.oomKills ?? 0,
    pidsHits: counters?.pidsHits ?? 0,
    throttledMs: Math.round((counters?.throttledUs ?? 0) / 1000),
  };
}

/** The tasks' use together, rounded as each of them is, so that a host at rest reports nothing new. */
export function usageOfAll(tasks: readonly TaskReport[]): Pick<HostReport, 'usage'> {
  const measured = tasks.flatMap(({ usage }) => usage ?? []);
  if (measured.length === 0) return {};
  const cpus = measured.reduce((sum, { cpuP95 }) => sum + cpuP95, 0);
  return { usage: { cpuP95: Number(cpus.toPrecision(2)) } };
}
