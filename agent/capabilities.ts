import type { HostTopology } from '../layers/domain/isolation/topology.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';

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
  },
  2: {
    cpuWeight: ['cpu', 'cpu.weight'],
    cpuIdle: ['cpu', 'cpu.idle'],
    cpuQuota: ['cpu', 'cpu.max'],
    cpuBurst: ['cpu', 'cpu.max.burst'],
    cpuset: ['cpuset', 'cpuset.cpus'],
    cpusetPartition: ['cpuset', 'cpuset.cpus.partition'],
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
    cpusetPartition: 'no',
    oomGroup: 'no',
    ioWeight: 'no',
    ioMax: 'partial: direct I/O only',
    memoryLow: 'partial: soft limit, reclaimed only under global pressure',
  },
  2: {},
};

/** What this host can enforce, by capability: `yes`, `no` or `partial: <what is missing>`. Read at a group of ECS. */
export function probeCapabilities(
  fs: CgroupFs,
  mounts: CgroupMounts,
  topology: HostTopology,
  cgroup: string,
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
  capabilities.hugetlb = topology.hugePageSizes.length === 0 ? 'no' : 'yes';
  return capabilities;
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
