import { expect, test } from 'vitest';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import { PressureTriggers } from './pressureTriggers.ts';

/** A host with groups, on a kernel that refuses a window too short for it. */
function setUp(groups: readonly string[] = ['', '/ecs', '/ecs/a', '/ecs/b'], version: 1 | 2 = 2) {
  const fs = new FakeCgroupFs(version, { pressure: true });
  for (const group of groups) fs.create(group);
  fs.fault = (_, value) => (value.endsWith(' 1000000') ? 'EINVAL' : undefined);
  const fired: string[] = [];
  const triggers = new PressureTriggers(fs, fs.mounts, '/ecs', (cgroup, resource) =>
    fired.push(`${cgroup} ${resource}`),
  );
  const prove = (): void => {
    triggers.probe(() => {});
    fs.stall('', 'cpu', 0, 1);
  };
  return { fs, triggers, fired, prove };
}
const files = (fs: FakeCgroupFs): string[] => fs.held.map((line) => line.split('=')[0] ?? '');

test('triggers are armed only when the kernel has told of one', () => {
  const { fs, triggers } = setUp();
  let proven = 0;
  expect(triggers.arm('/ecs/a')).toMatchObject({ refused: expect.any(String) });
  const probing = triggers.probe(() => {
    proven += 1;
  });
  expect(probing).toBe(true);
  expect(fs.held).toEqual(['/fake/cpu.pressure=some 1 2000000']);
  expect(triggers.proven).toBe(false);
  expect(triggers.arm('/ecs/a')).toMatchObject({ refused: expect.any(String) });
  fs.stall('', 'cpu', 0, 1);
  expect([triggers.proven, proven]).toEqual([true, 1]);
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
  expect(triggers.arm('/ecs/a')).toBe('armed');
  expect(fs.held).toHaveLength(3);
});

test.each([1, 2] as const)('the group that stalls is the one that is told of, on v%i', (version) => {
  const { fs, triggers, fired, prove } = setUp(undefined, version);
  prove();
  for (const group of ['/ecs', '/ecs/a', '/ecs/b']) expect(triggers.arm(group)).toBe('armed');
  expect(fs.watchCount).toBe(3);
  fs.stall('/ecs/b', 'cpu', 0.3, 500_000);
  fs.stall('/ecs', 'cpu', 0.3, 500_000);
  expect(fired).toEqual(['/ecs/b cpu', '/ecs cpu']);
  triggers.drop('/ecs/b');
  expect(files(fs).filter((file) => file.includes('/b/'))).toEqual([]);
  triggers.close();
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
});

test('the whole machine is watched until the group of all tasks is there, then that', () => {
  const { fs, triggers, prove } = setUp(['']);
  prove();
  triggers.arm('/ecs');
  expect(files(fs)[0]).toBe('/fake/cpu.pressure');
  fs.create('/ecs');
  triggers.arm('/ecs');
  expect(files(fs)).toEqual(['cpu', 'memory', 'io'].map((resource) => `/fake/ecs/${resource}.pressure`));
});

test('a group that has come back under its name is armed anew', () => {
  const { fs, triggers, fired, prove } = setUp();
  prove();
  triggers.arm('/ecs/a');
  fs.remove('/ecs/a');
  expect(triggers.arm('/ecs/a')).toEqual({ refused: 'no group of cgroup v2' });
  expect(fs.held).toEqual([]);
  fs.create('/ecs/a');
  expect(triggers.arm('/ecs/a')).toBe('armed');
  fs.stall('/ecs/a', 'io', 0.4, 700_000);
  expect(fired).toEqual(['/ecs/a io']);
});

test('tells whether the kernel keeps a thread for each group', () => {
  const { triggers, prove } = setUp();
  prove();
  expect(triggers.threads).toBe(false);
  const older = setUp();
  older.fs.fault = () => undefined;
  older.prove();
  expect(older.triggers.threads).toBe(true);
  older.triggers.close();
  expect(older.fs.held).toEqual([]);
});

test('a machine without pressure, or without cgroup v2, has none to try', () => {
  const without = new FakeCgroupFs(2);
  without.create('');
  expect(new PressureTriggers(without, without.mounts, '/ecs', () => {}).probe(() => {})).toBe(false);
  const v1 = new FakeCgroupFs(1);
  expect(new PressureTriggers(v1, v1.mounts, '/ecs', () => {}).probe(() => {})).toBe(false);
});
