import { type Capabilities, refusedBy } from '../layers/domain/isolation/capability.ts';
import type { Refusal } from '../layers/domain/isolation/desired.ts';
import type { HostReport, TaskReport } from '../layers/domain/isolation/hostReport.ts';
import { usageOf } from '../layers/domain/isolation/usageWindow.ts';
import type { TaskEntry } from './taskTable.ts';
import { type ContainerView, profileOf } from './taskView.ts';
import type { TaskWatch } from './taskWatch.ts';

/** What is told of one task. */
export function taskReport(
  entry: TaskEntry,
  watch: TaskWatch | undefined,
  capabilities: Capabilities,
): TaskReport {
  const views = [...entry.containers.values()];
  const attempt = views.find((view) => view.attempt !== undefined)?.attempt;
  const family = views.find((view) => view.family !== undefined)?.family;
  const failures = entry.results
    .filter(({ outcome }) => outcome === 'failed' || outcome === 'deferred')
    .map(({ file, detail }) => `${file}: ${detail ?? 'failed'}`);
  const counters = watch?.counters;
  return {
    ...(attempt === undefined ? {} : { attempt }),
    ...(family === undefined ? {} : { family }),
    applied: entry.appliedOnce && failures.length === 0,
    inTime: entry.inTime,
    ...(entry.lateMs === undefined ? {} : { lateMs: entry.lateMs }),
    refused: refusals(entry, views, capabilities),
    failures,
    ...(watch === undefined || watch.window.length === 0 ? {} : { usage: usageOf(watch.window) }),
    oomKills: counters?.oomKills ?? 0,
    pidsHits: counters?.pidsHits ?? 0,
    throttledMs: Math.round((counters?.throttledUs ?? 0) / 1000),
  };
}

/** Everything asked in vain, each knob once: what was found out about this task says more than what the host lacks. */
function refusals(
  entry: TaskEntry,
  views: readonly ContainerView[],
  capabilities: Capabilities,
): readonly Refusal[] {
  const problems = new Set(views.flatMap(({ profileProblem }) => profileProblem ?? []));
  const found: Refusal[] = [...(entry.desired?.refused ?? [])];
  const note = (knob: string, reason: string | undefined): void => {
    if (reason !== undefined && !found.some((refusal) => refusal.knob === knob)) found.push({ knob, reason });
  };
  for (const problem of problems) found.push({ knob: 'isolation', reason: problem });
  note('cpu.pinned', entry.pinRefusal);
  note('cpu.partition', entry.partitionRefusal);
  note('network.egressMbps', entry.egressRefusal);
  for (const { knob, reason } of refusedBy(profileOf(views), capabilities)) note(knob, reason);
  return found;
}

/** The tasks' use together, rounded as each of them is, so that a host at rest reports nothing new. */
export function usageOfAll(tasks: readonly TaskReport[]): Pick<HostReport, 'usage'> {
  const measured = tasks.flatMap(({ usage }) => usage ?? []);
  if (measured.length === 0) return {};
  const cpus = measured.reduce((sum, { cpuP95 }) => sum + cpuP95, 0);
  return { usage: { cpuP95: Number(cpus.toPrecision(2)) } };
}
