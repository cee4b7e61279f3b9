import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DesiredLimits } from '../layers/domain/isolation/desired.ts';
import { knobsV1 } from '../layers/domain/isolation/knobsV1.ts';
import { knobsV2 } from '../layers/domain/isolation/knobsV2.ts';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import { fileJournal, type Journal } from './journal.ts';
import { Reconciler } from './reconciler.ts';

let directory: string;
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-journal-'));
  journal = fileJournal(directory, 'boot-1');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const limits = (overrides: Partial<DesiredLimits> = {}): DesiredLimits => ({
  cpu: { weight: 200, idle: false, quotaUs: 50_000, periodUs: 100_000, burstUs: 20_000 },
  memory: { minBytes: 0, lowBytes: 4096, maxBytes: 2 ** 26, oomGroup: false },
  pidsMax: 100,
  io: { weight: 100 },
  hugetlb: {},
  pinnedCpus: 0,
  refused: [],
  ...overrides,
});
const knobsFor = (version: 1 | 2, desired: DesiredLimits, cpus = [0, 1]) =>
  (version === 2 ? knobsV2 : knobsV1)(desired, { cpus });

describe.each([1, 2] as const)('cgroup v%i', (version) => {
  const setUp = () => {
    const fs = new FakeCgroupFs(version);
    fs.create('/ecs');
    fs.create('/ecs/task');
    return { fs, reconciler: new Reconciler(fs, fs.mounts, journal) };
  };

  test('writes what differs, then nothing', () => {
    const { fs, reconciler } = setUp();
    const first = reconciler.apply('/ecs/task', knobsFor(version, limits()));
    expect(first.results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(first.writes).toBeGreaterThan(4);
    const { length } = fs.written;
    expect(reconciler.apply('/ecs/task', knobsFor(version, limits())).writes).toBe(0);
    expect(fs.written).toHaveLength(length);
  });

  test('goes from any values to any others without a refusal', () => {
    const values = fc
      .record({
        idle: fc.boolean(),
        weight: fc.integer({ min: 1, max: 10_000 }),
        quota: fc.option(fc.integer({ min: 1_000, max: 400_000 }), { nil: undefined }),
        burst: fc.integer({ min: 0, max: 400_000 }),
        max: fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: undefined }),
        cpus: fc.uniqueArray(fc.nat(7), { minLength: 1 }),
      })
      .map(({ idle, weight, quota, burst, max, cpus }) => ({
        cpus,
        desired: limits({
          cpu: {
            idle,
            weight,
            ...(quota === undefined ? {} : { quotaUs: quota }),
            periodUs: 100_000,
            burstUs: quota === undefined ? 0 : Math.min(burst, quota),
          },
          memory: {
            minBytes: 0,
            lowBytes: 0,
            ...(max === undefined ? {} : { maxBytes: max * 4096 }),
            oomGroup: false,
          },
        }),
      }));
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), (steps) => {
        const { fs, reconciler } = setUp();
        fs.create('/ecs/task/container');
        for (const { desired, cpus } of steps) {
          const { results } = reconciler.apply('/ecs/task', knobsFor(version, desired, cpus));
          expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
        }
      }),
    );
  });

  test.each(['ENOSPC', 'EBUSY', 'EINVAL'])('%s on one file costs only that knob, and is retried', (code) => {
    const { fs, reconciler } = setUp();
    fs.fault = (file) => (file === 'pids.max' ? code : undefined);
    const { results, gone } = reconciler.apply('/ecs/task', knobsFor(version, limits()));
    expect(gone).toBe(false);
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([
      { file: 'pids.max', outcome: 'failed', detail: `${code} writing 100` },
    ]);
    fs.fault = () => undefined;
    const again = reconciler.apply('/ecs/task', knobsFor(version, limits()));
    expect(again.writes).toBe(1);
    expect(again.results.find(({ file }) => file === 'pids.max')?.outcome).toBe('written');
  });

  test('a group that vanishes in the middle of the writes is gone, not an error', () => {
    const { fs, reconciler } = setUp();
    fs.fault = (file) => {
      if (file === 'pids.max') fs.remove('/ecs/task');
      return undefined;
    };
    expect(reconciler.apply('/ecs/task', knobsFor(version, limits())).gone).toBe(true);
    expect(reconciler.apply('/ecs/task', knobsFor(version, limits()))).toEqual({
      gone: true,
      writes: 0,
      results: [],
    });
  });

  test('a limit below what is in use waits instead of killing', () => {
    const { fs, reconciler } = setUp();
    const memory = version === 2 ? '/fake/ecs/task' : '/fake/memory/ecs/task';
    fs.set(memory, version === 2 ? 'memory.current' : 'memory.usage_in_bytes', String(2 ** 27));
    const file = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
    const find = () =>
      reconciler
        .apply('/ecs/task', knobsFor(version, limits()))
        .results.find((result) => result.file === file);
    expect(find()).toEqual({ file, outcome: 'deferred', detail: `${2 ** 27} bytes are in use` });
    fs.set(memory, version === 2 ? 'memory.current' : 'memory.usage_in_bytes', '4096');
    expect(find()?.outcome).toBe('written');
  });

  test('what ECS set is known through our own writes, also by the next process, and until somebody writes anew', () => {
    const { fs, reconciler } = setUp();
    const pids = version === 2 ? '/fake/ecs/task' : '/fake/pids/ecs/task';
    fs.set(pids, 'pids.max', '500');
    reconciler.apply('/ecs/task', knobsFor(version, limits()));
    const next = new Reconciler(fs, fs.mounts, fileJournal(directory, 'boot-1'));
    for (const each of [reconciler, next]) expect(each.ecsValue('/ecs/task', 'pids', 'pids.max')).toBe('500');
    fs.set(pids, 'pids.max', '300');
    for (const each of [reconciler, next]) expect(each.ecsValue('/ecs/task', 'pids', 'pids.max')).toBe('300');
    const afterReboot = new Reconciler(fs, fs.mounts, fileJournal(directory, 'boot-2'));
    fs.set(pids, 'pids.max', '100');
    expect(afterReboot.ecsValue('/ecs/task', 'pids', 'pids.max')).toBe('100');
  });
});

test('on v1 a throttle stands on each container, also on one that comes later', () => {
  const fs = new FakeCgroupFs(1);
  const reconciler = new Reconciler(fs, fs.mounts, journal);
  for (const group of ['/ecs', '/ecs/task', '/ecs/task/first']) fs.create(group);
  const throttle = {
    controller: 'blkio',
    file: 'blkio.throttle.write_bps_device',
    value: '8:0 1048576',
  };
  const stands = (group: string): string => fs.read(`/fake/blkio${group}/${throttle.file}`).trim();
  expect(reconciler.apply('/ecs/task', [throttle]).results).toEqual([
    { file: throttle.file, outcome: 'written' },
  ]);
  fs.create('/ecs/task/second');
  expect(reconciler.apply('/ecs/task', [throttle]).results).toEqual([
    { file: throttle.file, outcome: 'written' },
  ]);
  for (const group of ['/ecs/task', '/ecs/task/first', '/ecs/task/second'])
    expect(stands(group)).toBe(throttle.value);
  expect(stands('/ecs')).toBe('');
  expect(reconciler.apply('/ecs/task', [throttle]).writes).toBe(0);
});
