import type { DesiredLimits } from './desired.ts';
import type { Placement } from './knobsV2.ts';
import { formatCpuList } from './topology.ts';

/**
 * The task's values as properties of a systemd unit (systemd.resource-control(5)), for a host on which systemd owns the
 * group: at each reload, and whenever a unit below starts, it writes the unit's properties over what is in the files.
 * What has no property (burst, oom.group, huge pages) it leaves alone. `pinned` tells whether CPUs are shared out at all.
 */
export function unitProperties(desired: DesiredLimits, placement: Placement, pinned: boolean): string[] {
  const { cpu, memory, io } = desired;
  const infinity = (value: number | undefined): string => (value === undefined ? 'infinity' : String(value));
  const percent =
    cpu.quotaUs === undefined ? '' : `${Number(((cpu.quotaUs / cpu.periodUs) * 100).toFixed(2))}%`;
  const properties = [
    `CPUWeight=${cpu.idle ? 'idle' : cpu.weight}`,
    `CPUQuota=${percent}`,
    `CPUQuotaPeriodSec=${cpu.periodUs}us`,
    `MemoryMin=${memory.minBytes}`,
    `MemoryLow=${memory.lowBytes}`,
    `MemoryHigh=${infinity(memory.highBytes)}`,
    `IOWeight=${io.weight}`,
  ];
  if (memory.maxBytes !== undefined) properties.push(`MemoryMax=${memory.maxBytes}`);
  if (memory.swapMaxBytes !== undefined) properties.push(`MemorySwapMax=${memory.swapMaxBytes}`);
  if (desired.pidsMax !== undefined) properties.push(`TasksMax=${desired.pidsMax}`);
  if (pinned) properties.push(`AllowedCPUs=${formatCpuList(placement.cpus)}`);
  if (placement.device !== undefined) {
    const path = `/dev/block/${placement.device}`;
    for (const [name, rate] of [
      ['IOReadBandwidthMax', io.readBytesPerSecond],
      ['IOWriteBandwidthMax', io.writeBytesPerSecond],
      ['IOReadIOPSMax', io.readIops],
      ['IOWriteIOPSMax', io.writeIops],
    ] as const) {
      if (rate !== undefined) properties.push(`${name}=${path} ${rate}`);
    }
  }
  return properties;
}
