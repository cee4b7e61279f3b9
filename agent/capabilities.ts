import type { HostTopology } from '../layers/domain/isolation/topology.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import type { CpusetPartitions } from './cpusetPartition.ts';

/** Files whose presence tells what this kernel can do, by version. `?` means: below the group of ECS. */
const FILES = {
  1: {
    cpuWeight: ['cpu', 'cpu.shares'],
    cpuIdle: ['cpu', 'cpu.idle'],
    cpuQuota: ['cpu', 'cpu.cfs_quota_us'],
    cpuBurst: ['cpu', 'cpu.cfs_burst_us'],
    cpuset: ['cpuset', 'cpuset.cpus'],
    memoryMax: ['memory', 'memory.limit_in_bytes'],
    memoryLow: ['memory', 'memory.soft_limit_in_bytes'],
    swapMax: ['memory', 'memory.memsw.limit_in_bytes'],
    pids: ['pids', 'pids.max'],
    ioMax: ['blkio', 'blkio.throttle.read_bps_device'],
    ioWeight: ['blkio', 'blkio.bfq.weight'],
  },
  2: {
    cpuWeight: ['cpu', 'cpu.weight'],
    cpuIdle: ['cpu', 'cpu.idle'],
    cpuQuota: ['cpu', 'cpu.max'],
    cpuBurst: ['cpu', 'cpu.max.burst'],
    cpuset: ['cpuset', 'cpuset.cpus'],
    memoryMin: ['memory', 'memory.min'],
    memoryLow: ['memory', 'memory.low'],
    memoryHigh: ['memory', 'memory.high'],
    memoryMax: ['memory', 'memory.max'],
    memoryReclaim: ['memory', 'memory.reclaim'],
    swapMax: ['memory', 'memory.swap.max'],
    oomGroup: ['memory', 'memory.oom.group'],
    pids: ['pids', 'pids.max'],
    ioMax: ['io', 'io.max'],
    ioWeight: ['io', 'io.weight'],
    freeze: ['cpu', 'cgroup.freeze'],
  },
} as const;

/** What a kernel of this version never has, or only in part, whatever its files. */
const LIMITS: Readonly<Record<1 | 2, Readonly<Record<string, string>>>> = {
  1: {
    memoryMin: 'no',
    memoryHigh: 'no',
    oomGroup: 'partial: the agent ends the rest of the task',
    ioMax:
      'partial: per container, and only what it writes through itself (direct or synced), not what is buffered',
    memoryLow: 'partial: soft limit, reclaimed only under global pressure',
  },
  2: {},
};

/** What this host can enforce now (`Capabilities`), read at the group of ECS. */
export function probeCapabilities(
  fs: CgroupFs,
  mounts: CgroupMounts,
  topology: HostTopology,
  cgroup: string,
  partitions: CpusetPartitions,
): Record<string, string> {
  const { version } = mounts;
  const capabilities: Record<string, string> = {};
  for (const [name, [controller, file]] of Object.entries(FILES[version])) {
    const directory = controllerDirectory(mounts, controller, cgroup);
    capabilities[name] = directory !== undefined && readable(fs, `${directory}/${file}`) ? 'yes' : 'no';
  }
  for (const [name, limit] of Object.entries(LIMITS[version])) {
    if (capabilities[name] !== 'no') capabilities[name] = limit;
  }
  if (topology.swapBytes === 0 && capabilities.memoryHigh === 'yes') {
    capabilities.memoryHigh = 'partial: best-effort only, the host has no swap';
  }
  const unified = mounts.unified === undefined ? undefined : `${mounts.unified}${cgroup}/cpu.pressure`;
  capabilities.pressure = unified !== undefined && readable(fs, unified) ? 'yes' : 'partial: whole host only';
  if (!readable(fs, '/proc/pressure/cpu')) capabilities.pressure = 'no';
  const hugetlb = controllerDirectory(mounts, 'hugetlb', cgroup);
  const [size] = topology.hugePageSizes;
  const hugetlbFile = version === 2 ? `hugetlb.${size}.max` : `hugetlb.${size}.limit_in_bytes`;
  capabilities.hugetlb = hugetlb !== undefined && readable(fs, `${hugetlb}/${hugetlbFile}`) ? 'yes' : 'no';
  for (const [name, file] of PROTECTIONS) {
    if (version === 2 && capabilities[name] === 'yes')
      capabilities[name] = protection(fs, mounts, cgroup, file);
  }
  const obstacle = partitions.obstacle();
  capabilities.cpusetPartition = obstacle === undefined ? 'yes' : `no: ${obstacle}`;
  return capabilities;
}

const PROTECTIONS = [
  ['memoryMin', 'memory.min'],
  ['memoryLow', 'memory.low'],
] as const;

/**
 * What a protection written on a task is worth: the kernel caps it by that of every group above, up to the one whose
 * limit presses or the whole host, and ECS's group has none unless the host's operator gave it some.
 */
function protection(fs: CgroupFs, mounts: CgroupMounts, cgroup: string, file: string): string {
  if (!mounts.recursiveProtection)
    return 'no: cgroup2 is mounted without memory_recursiveprot, so that it reaches no container';
  const directory = controllerDirectory(mounts, 'memory', cgroup);
  const held = fs.read(`${directory}/${file}`).trim();
  if (held === 'max') return 'yes';
  if (held !== '0') return `partial: for all tasks together ${cgroup} has ${held} bytes`;
  if (fs.read(`${directory}/memory.max`).trim() === 'max')
    return `no: ${cgroup} has none, and it is the host's memory that its tasks share`;
  return `partial: ${cgroup} has none, so that it holds against neighbours below its limit alone`;
}

function readable(fs: CgroupFs, file: string): boolean {
  try {
    fs.read(file);
    return true;
  } catch {
    // Absent in this kernel or for this group.
    return false;
  }
}
