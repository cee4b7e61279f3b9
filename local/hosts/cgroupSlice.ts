import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CgroupMounts, cgroupDirectories, controllerDirectory } from '../../agent/cgroupMounts.ts';

/** The parent of every instance of the embedded AWS. Nothing outside it is ever written. */
export const BERTH_CGROUP = '/berth';

export const instanceCgroup = (instanceId: string): string => `${BERTH_CGROUP}/${instanceId}`;
/** Where the processes that hold network namespaces open are, apart from all tasks. */
export const networkCgroup = (instanceId: string): string => `${instanceCgroup(instanceId)}/network`;
/** Where tasks of an instance live: the shape the ECS agent gives them, below the instance. */
export const ecsCgroup = (instanceId: string): string => `${instanceCgroup(instanceId)}/ecs`;
export const taskCgroup = (instanceId: string, ecsTaskId: string): string =>
  `${ecsCgroup(instanceId)}/${ecsTaskId}`;

/** Limits of an instance or task; an absent one is left as it is. */
export interface SliceLimits {
  /** Hard quota, in CPUs. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** Relative share in v1 `cpu.shares` units (1024 = one CPU's worth). */
  readonly cpuShares?: number;
}

const PERIOD_US = 100_000;
const V2_CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'pids', 'hugetlb'];
/** A group stays busy until the kernel has reaped its last process. */
const REMOVE_RETRY_MS = 20;

/** Creates the group and its parents in every hierarchy; an existing group is kept. */
export function createSlice(mounts: CgroupMounts, path: string, limits: SliceLimits): void {
  let parent = '';
  for (const part of path.split('/').filter((name) => name !== '')) {
    if (mounts.version === 2 && mounts.unified !== undefined) delegate(mounts.unified + parent);
    parent += `/${part}`;
    for (const directory of cgroupDirectories(mounts, parent)) mkdirSync(directory, { recursive: true });
    if (mounts.version === 1) inheritCpuset(mounts, parent);
  }
  if (mounts.version === 2 && mounts.unified !== undefined) delegate(mounts.unified + path);
  applyLimits(mounts, path, limits);
}

/** v2 hands controllers down level by level; a controller the kernel lacks is left out. */
function delegate(directory: string): void {
  const available = readFileSync(join(directory, 'cgroup.controllers'), 'utf8').trim().split(' ');
  const wanted = V2_CONTROLLERS.filter((name) => available.includes(name)).map((name) => `+${name}`);
  writeFileSync(join(directory, 'cgroup.subtree_control'), wanted.join(' '));
}

/** A new v1 cpuset group is empty and accepts no process until it names CPUs and memory nodes. */
function inheritCpuset(mounts: CgroupMounts, path: string): void {
  const directory = controllerDirectory(mounts, 'cpuset', path);
  if (directory === undefined) return;
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readFileSync(join(directory, file), 'utf8').trim() !== '') continue;
    writeFileSync(join(directory, file), readFileSync(join(dirname(directory), file), 'utf8').trim());
  }
}

function applyLimits(mounts: CgroupMounts, path: string, limits: SliceLimits): void {
  const write = (controller: string, file: string, value: string | number): void => {
    const directory = controllerDirectory(mounts, controller, path);
    if (directory === undefined || !existsSync(join(directory, file))) return;
    writeFileSync(join(directory, file), String(value));
  };
  const quotaUs = limits.cpus === undefined ? undefined : Math.max(1000, Math.round(limits.cpus * PERIOD_US));
  const memory = limits.memoryBytes;
  if (mounts.version === 2) {
    if (quotaUs !== undefined) write('cpu', 'cpu.max', `${quotaUs} ${PERIOD_US}`);
    if (memory !== undefined) write('memory', 'memory.max', memory);
  } else {
    if (quotaUs !== undefined) write('cpu', 'cpu.cfs_quota_us', quotaUs);
    if (limits.cpuShares !== undefined) write('cpu', 'cpu.shares', Math.max(2, limits.cpuShares));
    if (memory !== undefined) write('memory', 'memory.limit_in_bytes', memory);
  }
  if (limits.pids !== undefined) write('pids', 'pids.max', limits.pids);
}

/** Names of the groups directly below `path`, in any hierarchy. */
export function childGroups(mounts: CgroupMounts, path: string): string[] {
  const names = new Set<string>();
  for (const directory of cgroupDirectories(mounts, path)) {
    for (const name of subdirectories(directory)) names.add(name);
  }
  return [...names];
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Kills every process below `path` and removes the groups, retrying until `boundMs` has passed. A group that is gone
 * is success. Throws with the processes that would not die.
 */
export async function removeSlice(mounts: CgroupMounts, path: string, boundMs = 10_000): Promise<void> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    const busy = cgroupDirectories(mounts, path).filter((directory) => !removeTree(directory));
    if (busy.length === 0) return;
    if (Date.now() >= deadline) {
      const pids = [...new Set(busy.flatMap(processesBelow))];
      throw new Error(
        `The cgroup ${path} could not be removed in ${boundMs} ms; processes: ${pids.join(' ')}`,
      );
    }
    for (const pid of new Set(busy.flatMap(processesBelow))) kill(pid);
    await sleep(REMOVE_RETRY_MS);
  }
}

/** Removes the parent of all instances unless one is left: other data directories may have some. */
export function removeEmptyRoot(mounts: CgroupMounts): void {
  for (const directory of cgroupDirectories(mounts, BERTH_CGROUP)) {
    try {
      rmdirSync(directory);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EBUSY' && code !== 'ENOTEMPTY') throw error;
    }
  }
}

/** True when the directory is gone. */
function removeTree(directory: string): boolean {
  const children = subdirectories(directory).map((name) => removeTree(join(directory, name)));
  if (children.includes(false)) return false;
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}

function processesBelow(directory: string): number[] {
  const below = subdirectories(directory).flatMap((name) => processesBelow(join(directory, name)));
  try {
    const own = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').map(Number);
    return [...below, ...own.filter((pid) => pid > 0)];
  } catch {
    // The group vanished between the two reads: nothing is left to kill in it.
    return below;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
