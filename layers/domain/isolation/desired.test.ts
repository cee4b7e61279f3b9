import fc from 'fast-check';
import { expect, test } from 'vitest';
import { desiredLimits, type EcsLimits } from './desired.ts';
import type { IsolationProfile } from './profile.ts';
import type { HostTopology } from './topology.ts';

const MIB = 2 ** 20;
const host: HostTopology = {
  cgroupVersion: 2,
  cpus: Array.from({ length: 8 }, (_, id) => ({ id, core: `0:${id >> 1}`, node: id >> 2 })),
  memoryBytes: 16_384 * MIB,
  swapBytes: 0,
  pageBytes: 4096,
  hugePageSizes: ['2MB'],
};
const unlimited: EcsLimits = { periodUs: 100_000 };

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const clean = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
const profiles = fc
  .record({
    qos: fc.constantFrom('guaranteed', 'burstable', 'best-effort'),
    cpu: optional(
      fc
        .record({
          weight: optional(fc.integer({ min: 1, max: 10_000 })),
          limitUnits: optional(fc.integer({ min: 2, max: 16_384 })),
          burstUs: optional(fc.integer({ min: 0, max: 1_000_000 })),
          pinned: optional(fc.boolean()),
        })
        .map(clean),
    ),
    memory: optional(
      fc
        .record({
          maxMiB: optional(fc.integer({ min: 4, max: 32_768 })),
          highMiB: optional(fc.integer({ min: 0, max: 32_768 })),
          lowMiB: optional(fc.integer({ min: 0, max: 32_768 })),
          minMiB: optional(fc.integer({ min: 0, max: 32_768 })),
        })
        .map(clean),
    ),
    pids: optional(fc.record({ max: fc.integer({ min: 1, max: 100_000 }) })),
  })
  .map((value) => clean(value) as IsolationProfile);
const requests = fc
  .record({
    cpuUnits: fc.integer({ min: 0, max: 16_384 }),
    memoryBytes: optional(fc.integer({ min: 4, max: 16_384 }).map((mib) => mib * MIB)),
  })
  .map((value) => clean(value) as { cpuUnits: number; memoryBytes?: number });
const limits = fc
  .record({
    periodUs: fc.constantFrom(100_000, 50_000),
    cpus: optional(fc.integer({ min: 1, max: 800 }).map((hundredths) => hundredths / 100)),
    memoryBytes: optional(fc.integer({ min: 4, max: 16_384 }).map((mib) => mib * MIB)),
    pids: optional(fc.integer({ min: 1, max: 100_000 })),
  })
  .map((value) => clean(value) as EcsLimits);

test('never loosens what ECS set, and is always legal for the kernel', () => {
  fc.assert(
    fc.property(profiles, requests, limits, (profile, request, ecs) => {
      const { cpu, memory, pidsMax, pinnedCpus } = desiredLimits(profile, request, ecs, host);
      if (ecs.cpus !== undefined)
        expect(cpu.quotaUs).toBeLessThanOrEqual(Math.max(1000, ecs.cpus * ecs.periodUs));
      if (ecs.memoryBytes !== undefined) expect(memory.maxBytes).toBeLessThanOrEqual(ecs.memoryBytes);
      if (ecs.pids !== undefined) expect(pidsMax).toBeLessThanOrEqual(ecs.pids);
      expect(cpu.burstUs).toBeLessThanOrEqual(cpu.quotaUs ?? 0);
      expect(cpu.weight).toBeGreaterThanOrEqual(1);
      expect(cpu.weight).toBeLessThanOrEqual(10_000);
      const ceiling = memory.maxBytes ?? host.memoryBytes;
      expect(memory.minBytes).toBeLessThanOrEqual(ceiling);
      expect(memory.lowBytes).toBeLessThanOrEqual(ceiling);
      expect(memory.minBytes).toBeLessThanOrEqual(memory.lowBytes);
      // Without swap only a best-effort task may be held above its high mark.
      if (profile.qos !== 'best-effort') expect(memory.highBytes).toBeUndefined();
      expect(pinnedCpus).toBeLessThan(host.cpus.length);
    }),
  );
});

test('a class gives sensible values from the request alone', () => {
  const request = { cpuUnits: 2048, memoryBytes: 512 * MIB };
  expect(desiredLimits({ qos: 'guaranteed' }, request, unlimited, host)).toMatchObject({
    cpu: { weight: 200, idle: false, burstUs: 0 },
    memory: { minBytes: 512 * MIB, maxBytes: 512 * MIB },
    pinnedCpus: 2,
    io: { weight: 400 },
  });
  expect(desiredLimits({ qos: 'burstable' }, request, { ...unlimited, cpus: 2 }, host)).toMatchObject({
    cpu: { weight: 200, idle: false, quotaUs: 200_000, burstUs: 200_000 },
    memory: { minBytes: 0, lowBytes: 512 * MIB, maxBytes: 512 * MIB },
    pinnedCpus: 0,
  });
  const squeezed = desiredLimits({ qos: 'best-effort' }, request, unlimited, host);
  expect(squeezed).toMatchObject({ cpu: { idle: true, burstUs: 0 }, memory: { minBytes: 0, lowBytes: 0 } });
  expect(squeezed.memory.highBytes).toBe(Math.floor((512 * MIB * 0.9) / 4096) * 4096);
});

test('what the host cannot do is refused in words, never silently', () => {
  const { refused } = desiredLimits(
    { qos: 'burstable', cpu: { pinned: true }, memory: { highMiB: 64 }, hugetlb: { '1GB': 2 ** 30 } },
    { cpuUnits: 512 },
    unlimited,
    host,
  );
  expect(refused.map(({ knob }) => knob).sort()).toEqual(['cpu.pinned', 'hugetlb.1GB', 'memory.highMiB']);
  expect(
    desiredLimits({ qos: 'guaranteed', cpu: { pinned: true } }, { cpuUnits: 8192 }, unlimited, host).refused,
  ).toEqual([{ knob: 'cpu.pinned', reason: '8 of 8 CPUs leave none to share' }]);
});
