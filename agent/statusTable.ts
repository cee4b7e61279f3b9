import type { HostReport } from '../layers/domain/isolation/hostReport.ts';

const HEADINGS = [
  'TASK',
  'APPLIED',
  'IN TIME',
  'CPU p50/p95',
  'MEM p95',
  'OOM',
  'PIDS HIT',
  'THROTTLED',
  'REMARKS',
];
const TASK_WIDTH = 24;
const COLUMN_GAP = '  ';

/** The report as a table for a person: the host in one line, a line a task, then the latest notices. */
export function statusTable(report: HostReport): string {
  const { cpu, memory, io } = report.pressure;
  const percent = (share: number): string => `${Math.round(share * 100)}%`;
  const rows = Object.entries(report.tasks).map(([taskId, task]) => [
    taskId.length > TASK_WIDTH ? `${taskId.slice(0, TASK_WIDTH - 1)}…` : taskId,
    task.applied ? 'yes' : 'no',
    task.inTime ? 'yes' : `${task.lateMs ?? '?'} ms late`,
    task.usage === undefined ? '-' : `${task.usage.cpuP50}/${task.usage.cpuP95}`,
    task.usage === undefined ? '-' : `${task.usage.memoryP95MiB} MiB`,
    String(task.oomKills),
    String(task.pidsHits),
    `${task.throttledMs} ms`,
    [...task.failures, ...task.refused.map(({ knob, reason }) => `${knob}: ${reason}`)].join('; '),
  ]);
  const weak = Object.entries(report.capabilities).filter(([, value]) => value !== 'yes');
  return [
    `${report.instanceId} in ${report.cluster}, agent ${report.agentVersion}, pressure cpu ${percent(cpu)} memory ${percent(memory)} io ${percent(io)}`,
    ...(report.interruptionAt === undefined
      ? []
      : [`EC2 takes this host back at ${new Date(report.interruptionAt).toISOString()}`]),
    ...(weak.length === 0
      ? []
      : [`not in full: ${weak.map(([name, value]) => `${name} (${value})`).join(', ')}`]),
    '',
    ...(rows.length === 0 ? ['no tasks'] : align([HEADINGS, ...rows])),
    ...(report.notices.length === 0 ? [] : ['', ...report.notices.map(noticeLine)]),
  ].join('\n');
}

const noticeLine = ({ at, taskId, kind, detail }: HostReport['notices'][number]): string =>
  `${new Date(at).toISOString()} ${kind} ${taskId} ${detail}`;

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(COLUMN_GAP)
      .trimEnd(),
  );
}
