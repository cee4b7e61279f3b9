import type { Pressures } from '../layers/domain/isolation/pressureLadder.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import { parsePressure } from './pressure.ts';

/** What the kernel has counted for one task so far, and what it uses now. */
export interface TaskCounters {
  readonly atMs: number;
  readonly cpuUsageUs: number;
  readonly throttledUs: number;
  readonly throttledPeriods: number;
  readonly memoryBytes: number;
  readonly oomKills: number;
  readonly pids: number;
  /** Forks refused by the task's own limit. */
  readonly pidsHits: number;
  /** Absent where the kernel keeps none for the group. */
  readonly pressure?: Pressures;
}

/**
 * A value of a flat-keyed file, one `name value` a line; undefined when it is not there. Looks for it in place: a host reads
 * hundreds of these files at a time, and splitting them up would be most of the garbage the agent makes.
 */
export function flatKeyed(content: string, name: string): number | undefined {
  const key = `${name} `;
  let at = content.startsWith(key) ? 0 : content.indexOf(`\n${key}`);
  if (at < 0) return undefined;
  if (at > 0) at += 1;
  const end = content.indexOf('\n', at);
  return Number(content.slice(at + key.length, end < 0 ? undefined : end));
}

/** Reads the counters of a task's group; a file this kernel lacks counts nothing. */
export function readCounters(fs: CgroupFs, mounts: CgroupMounts, cgroup: string, atMs: number): TaskCounters {
  const text = (controller: string, file: string, below = ''): string => {
    try {
      return fs.read(`${controllerDirectory(mounts, controller, cgroup)}${below}/${file}`);
    } catch {
      // Not in this kernel, or gone with the task.
      return '';
    }
  };
  const v2 = mounts.version === 2;
  // A task's containers are below it in every hierarchy, and this one's directories have the fewest files.
  const directory =
    controllerDirectory(mounts, 'pids', cgroup) ?? controllerDirectory(mounts, 'memory', cgroup);
  const containers = directory === undefined ? [] : fs.list(directory).map((child) => `/${child}`);
  /**
   * v1, and v2 before kernel 6.11 for pids, count where it happened, which is a container's group; later ones count for
   * the whole subtree.
   */
  const counted = (controller: string, file: string, name: string): number => {
    const count = (below: string): number => flatKeyed(text(controller, file, below), name) ?? 0;
    return Math.max(
      count(''),
      containers.map(count).reduce((sum, each) => sum + each, 0),
    );
  };
  const stat = text('cpu', 'cpu.stat');
  const cpu = (name: string): number => flatKeyed(stat, name) ?? 0;
  const pressure = readTaskPressure(fs, mounts, cgroup);
  return {
    atMs,
    cpuUsageUs: v2 ? cpu('usage_usec') : Number(text('cpuacct', 'cpuacct.usage')) / 1000,
    throttledUs: v2 ? cpu('throttled_usec') : cpu('throttled_time') / 1000,
    throttledPeriods: cpu('nr_throttled'),
    memoryBytes: Number(text('memory', v2 ? 'memory.current' : 'memory.usage_in_bytes')),
    oomKills: counted('memory', v2 ? 'memory.events' : 'memory.oom_control', 'oom_kill'),
    pids: Number(text('pids', 'pids.current')),
    pidsHits: counted('pids', 'pids.events', 'max'),
    ...(pressure === undefined ? {} : { pressure }),
  };
}

function readTaskPressure(fs: CgroupFs, mounts: CgroupMounts, cgroup: string): Pressures | undefined {
  if (mounts.unified === undefined) return undefined;
  const read = (resource: string): number | undefined => {
    try {
      return parsePressure(fs.read(`${mounts.unified}${cgroup}/${resource}.pressure`));
    } catch {
      // This kernel keeps no pressure for groups.
      return undefined;
    }
  };
  const [cpu, memory, io] = ['cpu', 'memory', 'io'].map(read);
  return cpu === undefined || memory === undefined || io === undefined ? undefined : { cpu, memory, io };
}
