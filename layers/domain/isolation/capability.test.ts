import { expect, test } from 'vitest';
import { cannot, refusedBy, strictExpression } from './capability.ts';
import type { IsolationProfile } from './profile.ts';

const capabilities = {
  cpuset: 'yes',
  ioMax: 'partial: direct I/O only',
  memoryMin: 'no',
  cpusetPartition: 'no: cgroup v1 has none',
};
const profile: IsolationProfile = {
  qos: 'guaranteed',
  cpu: { partition: 'root' },
  memory: { minMiB: 64 },
  io: { readIops: 5, writeIops: 5 },
};

test('only what a host cannot do at all counts against it', () => {
  expect(cannot(capabilities)).toEqual(['cpusetPartition', 'memoryMin']);
  expect(refusedBy(profile, capabilities)).toEqual([
    { knob: 'cpu.partition', reason: 'cgroup v1 has none' },
    { knob: 'memory.minMiB', reason: 'the host cannot do it' },
  ]);
  expect(refusedBy({ qos: 'guaranteed' }, capabilities)).toEqual([]);
});

test('a strict profile asks for each capability once, and one that is not asks for none', () => {
  expect(strictExpression(profile)).toBeUndefined();
  expect(strictExpression({ qos: 'burstable', strict: true })).toBeUndefined();
  expect(strictExpression({ ...profile, strict: true })).toBe(
    ['agent-silent', 'cannot.cpusetPartition', 'cannot.memoryMin', 'cannot.ioMax']
      .map((name) => `attribute:berth.${name} !exists`)
      .join(' and '),
  );
});
