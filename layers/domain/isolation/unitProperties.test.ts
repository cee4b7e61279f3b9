import { expect, test } from 'vitest';
import { desiredLimits } from './desired.ts';
import type { HostTopology } from './topology.ts';
import { unitProperties } from './unitProperties.ts';

const host: HostTopology = {
  cgroupVersion: 2,
  cpus: [0, 1].map((id) => ({ id, core: `0:${id}`, node: 0 })),
  memoryBytes: 2 ** 33,
  swapBytes: 0,
  pageBytes: 4096,
  hugePageSizes: [],
};

test('every value that has a property is one, in systemd spelling', () => {
  const profile = {
    qos: 'burstable',
    cpu: { limitUnits: 256, weight: 250 },
    memory: { maxMiB: 48 },
    pids: { max: 40 },
    io: { writeBytesPerSecond: 1_000_000 },
  } as const;
  const desired = desiredLimits(profile, { cpuUnits: 512 }, { periodUs: 100_000 }, host);
  expect(unitProperties(desired, { cpus: [0], device: '8:0' }, true)).toEqual([
    'CPUWeight=250',
    'CPUQuota=25%',
    'CPUQuotaPeriodSec=100000us',
    'MemoryMin=0',
    'MemoryLow=0',
    'MemoryHigh=infinity',
    'IOWeight=100',
    'MemoryMax=50331648',
    'TasksMax=40',
    'AllowedCPUs=0',
    'IOWriteBandwidthMax=/dev/block/8:0 1000000',
  ]);
});

test('no limit is told as such, and an idle task has no weight', () => {
  const desired = desiredLimits({ qos: 'best-effort' }, { cpuUnits: 512 }, { periodUs: 100_000 }, host);
  const properties = unitProperties(desired, { cpus: [0, 1] }, false);
  expect(properties).toContain('CPUWeight=idle');
  expect(properties).toContain('CPUQuota=');
  expect(properties.some((each) => each.startsWith('AllowedCPUs'))).toBe(false);
});
