import { readdirSync, readFileSync } from 'node:fs';
import { type Cpu, type HostTopology, parseCpuList } from '../layers/domain/isolation/topology.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';

const SYSTEM = '/sys/devices/system';
const PAGE_BYTES = 4096;

const readIfThere = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // An optional file of this kernel or platform.
    return undefined;
  }
};

/**
 * Reads the machine's CPUs, memory and huge pages, cut down to what the cgroup `parent` may use; `partitioned` are CPUs
 * that an earlier agent made partitions of tasks below it.
 */
export function probeTopology(
  mounts: CgroupMounts,
  parent: string,
  partitioned: readonly number[],
): HostTopology {
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  return {
    cgroupVersion: mounts.version,
    cpus: usableCpus(mounts, parent, partitioned),
    memoryBytes: field('MemTotal'),
    swapBytes: field('SwapTotal'),
    pageBytes: PAGE_BYTES,
    hugePageSizes: readDirectory('/sys/kernel/mm/hugepages').map(hugePageSize),
  };
}

function usableCpus(mounts: CgroupMounts, parent: string, partitioned: readonly number[]): Cpu[] {
  const directory = controllerDirectory(mounts, 'cpuset', parent);
  const file = mounts.version === 1 ? 'cpuset.cpus' : 'cpuset.cpus.effective';
  const allowed = directory === undefined ? undefined : readIfThere(`${directory}/${file}`);
  const online = parseCpuList(readIfThere(`${SYSTEM}/cpu/online`) ?? '0');
  const usable = new Set(
    allowed === undefined || allowed === '' ? online : [...parseCpuList(allowed), ...partitioned],
  );
  const nodes = nodeOfCpu();
  return online
    .filter((id) => usable.has(id))
    .map((id) => {
      const topology = `${SYSTEM}/cpu/cpu${id}/topology`;
      const core = `${readIfThere(`${topology}/physical_package_id`) ?? 0}:${readIfThere(`${topology}/core_id`) ?? id}`;
      return { id, core, node: nodes.get(id) ?? 0 };
    });
}

function nodeOfCpu(): Map<number, number> {
  const nodes = new Map<number, number>();
  for (const name of readDirectory(`${SYSTEM}/node`)) {
    const node = /^node(\d+)$/.exec(name)?.[1];
    if (node === undefined) continue;
    for (const cpu of parseCpuList(readIfThere(`${SYSTEM}/node/${name}/cpulist`) ?? ''))
      nodes.set(cpu, Number(node));
  }
  return nodes;
}

function readDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // This kernel has none of it.
    return [];
  }
}

/** `hugepages-2048kB` is `2MB` in cgroup file names. */
function hugePageSize(name: string): string {
  const kib = Number(/(\d+)kB/.exec(name)?.[1] ?? 0);
  if (kib >= 1024 * 1024) return `${kib / 1024 / 1024}GB`;
  return kib >= 1024 ? `${kib / 1024}MB` : `${kib}KB`;
}
