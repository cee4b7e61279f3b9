import type { DesiredLimits } from './desired.ts';
import { bfqWeight } from './ioWeight.ts';
import type { Knob } from './knob.ts';
import type { CpuPartition } from './profile.ts';
import { formatCpuList } from './topology.ts';

/** What only the host can tell of a task's place. */
export interface Placement {
  /** CPUs of the task: its own or the shared pool. */
  readonly cpus: readonly number[];
  readonly mems?: readonly number[];
  /** `major:minor` of the whole disk that I/O limits apply to. */
  readonly device?: string;
  /** What the CPUs of a task that asked for a partition are to be. */
  readonly partition?: CpuPartition | 'member';
}

const max = (value: number | undefined): string => (value === undefined ? 'max' : String(value));

/** The task's values in cgroup v2's files (kernel documentation, admin-guide/cgroup-v2). */
export function knobsV2(desired: DesiredLimits, placement: Placement): Knob[] {
  const { cpu, memory, io } = desired;
  const knobs: Knob[] = [
    { controller: 'cpu', file: 'cpu.idle', value: cpu.idle ? '1' : '0' },
    // An idle group has no weight: writing one is refused.
    ...(cpu.idle ? [] : [{ controller: 'cpu', file: 'cpu.weight', value: String(cpu.weight) }]),
    { controller: 'cpu', file: 'cpu.max', value: `${max(cpu.quotaUs)} ${cpu.periodUs}` },
    { controller: 'cpu', file: 'cpu.max.burst', value: String(cpu.burstUs) },
    { controller: 'cpuset', file: 'cpuset.cpus', value: formatCpuList(placement.cpus) },
    ...partitionKnobs(placement),
    { controller: 'memory', file: 'memory.min', value: String(memory.minBytes) },
    { controller: 'memory', file: 'memory.low', value: String(memory.lowBytes) },
    { controller: 'memory', file: 'memory.high', value: max(memory.highBytes) },
    { controller: 'memory', file: 'memory.oom.group', value: memory.oomGroup ? '1' : '0' },
    { controller: 'io', file: 'io.weight', value: `default ${io.weight}` },
    { controller: 'io', file: 'io.bfq.weight', value: `default ${bfqWeight(io.weight)}` },
  ];
  if (memory.maxBytes !== undefined) {
    knobs.push({ controller: 'memory', file: 'memory.max', value: String(memory.maxBytes) });
  }
  if (memory.swapMaxBytes !== undefined) {
    knobs.push({ controller: 'memory', file: 'memory.swap.max', value: String(memory.swapMaxBytes) });
  }
  if (desired.pidsMax !== undefined) {
    knobs.push({ controller: 'pids', file: 'pids.max', value: String(desired.pidsMax) });
  }
  const limited = [io.readBytesPerSecond, io.writeBytesPerSecond, io.readIops, io.writeIops];
  if (placement.device !== undefined && limited.some((limit) => limit !== undefined)) {
    const [rbps, wbps, riops, wiops] = limited.map(max);
    const value = `${placement.device} rbps=${rbps} wbps=${wbps} riops=${riops} wiops=${wiops}`;
    knobs.push({ controller: 'io', file: 'io.max', value });
  }
  for (const [size, bytes] of Object.entries(desired.hugetlb)) {
    knobs.push({ controller: 'hugetlb', file: `hugetlb.${size}.max`, value: String(bytes) });
  }
  return knobs;
}

/** Since kernel 6.7 a partition can lie below a group that is none, out of CPUs that are named exclusive all the way. */
function partitionKnobs({ cpus, partition }: Placement): Knob[] {
  if (partition === undefined) return [];
  const exclusive = partition === 'member' ? '' : formatCpuList(cpus);
  return [
    { controller: 'cpuset', file: 'cpuset.cpus.exclusive', value: exclusive },
    { controller: 'cpuset', file: 'cpuset.cpus.partition', value: partition },
  ];
}
