import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAUNCH_ENVIRONMENT } from '../../../layers/domain/isolation/profile.ts';
import { aContainer, aTask } from '../hostHarness.ts';
import type { BenchHost } from './benchHost.ts';
import { atMost, type Figure } from './figures.ts';
import type { ReportSink } from './reportSink.ts';

const TICKS_PER_SECOND = 100;
const MAX_CPU_PERCENT = 1;
const MAX_RSS_MB = 60;
const SETTLE_MS = 12_000;

/** User and system time of a process so far, in seconds (proc(5), stat fields 14 and 15). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export const residentMB = (pid: number): number =>
  (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;

/** What the process has for itself: the rest of its resident memory is Node.js's own code, shared by every process of it. */
const privateMB = (pid: number): number => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].map(([, size]) => Number(size));
  return (kib.reduce((sum, each) => sum + each, 0) * 1024) / 1e6;
};

/** Turns of the processor that the process's first thread has asked for so far: what it was woken for, and each wait of a call. */
const wakeUps = (pid: number): number =>
  Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Some ten milliseconds of work every two seconds: with a hundred of them, each waits for a CPU at times. */
const RESTLESS = 'while :; do i=0; while [ $i -lt 8000 ]; do i=$((i+1)); done; sleep 2; done';
const COMMANDS = { quiet: ['sleep', '300'], restless: ['sh', '-c', RESTLESS] } as const;

/**
 * What the agent costs while it looks after `count` containers that do nothing, or little that makes each of them stall at
 * times; one in ten is best-effort.
 */
export async function overhead(
  host: BenchHost,
  sink: ReportSink,
  kind: keyof typeof COMMANDS,
  count: number,
  seconds: number,
): Promise<Record<string, Figure>> {
  const launches = Array.from({ length: count }, (_, index) =>
    aTask([
      aContainer({
        command: COMMANDS[kind],
        memoryMiB: 32,
        cpuUnits: 10,
        environment: {
          [LAUNCH_ENVIRONMENT.taskId]: `${kind}-${index}`,
          [LAUNCH_ENVIRONMENT.isolation]: JSON.stringify({
            qos: index % 10 === 0 ? 'best-effort' : 'burstable',
          }),
        },
      }),
    ]),
  );
  await Promise.all(launches.map((launch) => host.run(launch)));
  await sleep(SETTLE_MS);
  const pid = host.agentPid;
  const [before, wakesBefore, startedAt] = [cpuSeconds(pid), wakeUps(pid), performance.now()];
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - startedAt) / 1000;
  const percent = ((cpuSeconds(pid) - before) / elapsed) * 100;
  const wakes = (wakeUps(pid) - wakesBefore) / elapsed;
  const rss = residentMB(pid);
  const own = privateMB(pid);
  if (sink.calls === 0) throw new Error('the agent did not report: its TLS would not be in the figures');
  const { pressure } = await host.report();
  await Promise.all(launches.map((launch) => host.stop(launch)));
  const name = kind === 'quiet' ? `overhead.${count}` : `overhead.${count}.${kind}`;
  return {
    [`${name}.cpu`]: atMost(percent, '% of a core', MAX_CPU_PERCENT),
    [`${name}.wakeUps`]: { value: wakes, unit: '/s' },
    ...(kind === 'quiet'
      ? {
          [`${name}.rss`]: atMost(rss, 'MB', MAX_RSS_MB),
          [`${name}.private`]: { value: own, unit: 'MB' },
        }
      : { [`${name}.hostPressure`]: { value: pressure.cpu, unit: 'of the time' } }),
  };
}
