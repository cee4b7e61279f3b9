import { LAUNCH_ENVIRONMENT } from '../../../layers/domain/isolation/profile.ts';
import { aContainer, aTask } from '../hostHarness.ts';
import type { BenchHost } from './benchHost.ts';
import { atLeast, atMost, type Figure, percentile } from './figures.ts';

/** Launches under way at a time: a scheduler's batch. */
const AT_ONCE = 10;
const MIN_IN_TIME_PERCENT = 99;
const MAX_LATE_MS = 50;

/**
 * How many of `launches` had every value on their cgroup before their first process ran, by the agent's own account, and
 * how late the others were.
 */
export async function inTime(host: BenchHost, launches: number): Promise<Record<string, Figure>> {
  const late: number[] = [];
  let seen = 0;
  for (let first = 0; first < launches; first += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, launches - first) }, (_, index) => {
      const taskId = `timed-${first + index}`;
      const environment = {
        [LAUNCH_ENVIRONMENT.taskId]: taskId,
        [LAUNCH_ENVIRONMENT.isolation]: JSON.stringify({
          qos: 'burstable',
          cpu: { limitUnits: 256 },
          memory: { maxMiB: 24 },
          pids: { max: 32 },
        }),
      };
      return { taskId, launch: aTask([aContainer({ memoryMiB: 32, cpuUnits: 10, environment })]) };
    });
    await Promise.all(batch.map(({ launch }) => host.run(launch)));
    const { tasks } = await host.report();
    for (const { taskId } of batch) {
      const task = tasks[taskId];
      if (task === undefined) continue;
      seen += 1;
      if (!task.inTime) late.push(task.lateMs ?? Number.POSITIVE_INFINITY);
    }
    await Promise.all(batch.map(({ launch }) => host.stop(launch)));
  }
  return {
    'inTime.seen': atLeast(seen, 'launches', launches),
    'inTime.share': atLeast(((seen - late.length) / seen) * 100, '%', MIN_IN_TIME_PERCENT),
    'inTime.latest': atMost(late.length === 0 ? 0 : percentile(late, 1), 'ms', MAX_LATE_MS),
  };
}
