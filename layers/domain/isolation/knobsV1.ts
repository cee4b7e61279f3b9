import type { DesiredLimits } from './desired.ts';
import { bfqWeight } from './ioWeight.ts';
import type { Knob } from './knob.ts';
import type { Placement } from './knobsV2.ts';
import { formatCpuList } from './topology.ts';

/** 1024 shares stand for the weight of one vCPU, 100: both are their version's default. */
const SHARES_PER_WEIGHT = 10.24;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

/**
 * The task's values in cgroup v1's files. What v1 lacks is left out and told as a capability: memory.min, memory.low
 * becomes the soft limit, high has no counterpart, oom.group is the agent's to do, I/O limits hold for direct I/O only.
 */
export function knobsV1(desired: DesiredLimits, placement: Placement): Knob[] {
  const { cpu, memory, io } = desired;
  const shares = Math.min(Math.max(Math.round(cpu.weight * SHARES_PER_WEIGHT), MIN_SHARES), MAX_SHARES);
  const soft = memory.highBytes ?? (memory.lowBytes > 0 ? memory.lowBytes : undefined);
  const knobs: Knob[] = [
    { controller: 'cpu', file: 'cpu.idle', value: cpu.idle ? '1' : '0' },
    ...(cpu.idle ? [] : [{ controller: 'cpu', file: 'cpu.shares', value: String(shares) }]),
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(cpu.periodUs) },
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(cpu.quotaUs ?? -1) },
    { controller: 'cpu', file: 'cpu.cfs_burst_us', value: String(cpu.burstUs) },
    { controller: 'cpuset', file: 'cpuset.cpus', value: formatCpuList(placement.cpus) },
    { controller: 'memory', file: 'memory.soft_limit_in_bytes', value: String(soft ?? -1) },
    { controller: 'blkio', file: 'blkio.bfq.weight', value: String(bfqWeight(io.weight)) },
  ];
  if (memory.maxBytes !== undefined) {
    knobs.push({ controller: 'memory', file: 'memory.limit_in_bytes', value: String(memory.maxBytes) });
    // Memory and swap together: without it a limited task would spill all it wants.
    const both = memory.maxBytes + (memory.swapMaxBytes ?? 0);
    knobs.push({ controller: 'memory', file: 'memory.memsw.limit_in_bytes', value: String(both) });
  }
  if (desired.pidsMax !== undefined) {
    knobs.push({ controller: 'pids', file: 'pids.max', value: String(desired.pidsMax) });
  }
  if (placement.device !== undefined) {
    for (const [file, rate] of [
      ['read_bps', io.readBytesPerSecond],
      ['write_bps', io.writeBytesPerSecond],
      ['read_iops', io.readIops],
      ['write_iops', io.writeIops],
    ] as const) {
      if (rate === undefined) continue;
      const value = `${placement.device} ${rate}`;
      knobs.push({ controller: 'blkio', file: `blkio.throttle.${file}_device`, value });
    }
  }
  for (const [size, bytes] of Object.entries(desired.hugetlb)) {
    knobs.push({ controller: 'hugetlb', file: `hugetlb.${size}.limit_in_bytes`, value: String(bytes) });
  }
  return knobs;
}
