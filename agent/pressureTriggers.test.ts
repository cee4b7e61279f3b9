import { expect, test } from 'vitest';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import { PressureTriggers } from './pressureTriggers.ts';

const CALM = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0';
const FILES = ['cpu.pressure', 'memory.pressure', 'io.pressure'];

/** A host whose root and whose group of ECS keep pressure, as far as `groups` says. */
function setUp(groups: readonly string[] = ['', '/ecs']) {
  const fs = new FakeCgroupFs(2);
  for (const group of groups) {
    fs.create(group);
    for (const file of FILES) fs.set(`/fake${group}`, file, CALM);
  }
  const triggers = new PressureTriggers(fs, fs.mounts, '/ecs');
  /** As the kernel does when a trigger fires: nothing is written, and inotify tells. */
  const fire = (group: string, file: string): void => fs.set(`/fake${group}`, file, CALM);
  return { fs, triggers, fire };
}

test('triggers are armed only when the kernel has told of one', () => {
  const { fs, triggers, fire } = setUp();
  expect(triggers.arm(() => {})).toBe(false);
  triggers.probe();
  expect(fs.held).toEqual(['/fake/cpu.pressure=some 1 2000000']);
  expect(triggers.capability).toMatch(/^partial: none has fired yet/);
  expect(triggers.arm(() => {})).toBe(false);
  fire('', 'cpu.pressure');
  expect(triggers.capability).toBe('yes');
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
  expect(triggers.arm(() => {})).toBe(true);
  expect(fs.held).toEqual([
    '/fake/ecs/cpu.pressure=some 400000 2000000',
    '/fake/ecs/memory.pressure=some 200000 2000000',
    '/fake/ecs/io.pressure=some 600000 2000000',
  ]);
});

test('a trigger fires once, and leaves nothing open', () => {
  const { fs, triggers, fire } = setUp();
  triggers.probe();
  fire('', 'cpu.pressure');
  let fired = 0;
  triggers.arm(() => {
    fired += 1;
  });
  fire('/ecs', 'memory.max');
  expect(fired).toBe(0);
  fire('/ecs', 'memory.pressure');
  fire('/ecs', 'memory.pressure');
  expect(fired).toBe(1);
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
});

test('arming again replaces what was armed; closing leaves nothing', () => {
  const { fs, triggers, fire } = setUp();
  triggers.probe();
  fire('', 'cpu.pressure');
  const fired: string[] = [];
  triggers.arm(() => fired.push('old'));
  triggers.arm(() => fired.push('new'));
  expect(fs.held).toHaveLength(3);
  expect(fs.watchCount).toBe(1);
  fire('/ecs', 'io.pressure');
  expect(fired).toEqual(['new']);
  triggers.arm(() => {});
  triggers.close();
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
});

test('the whole machine is watched until the group of ECS is there', () => {
  const { fs, triggers, fire } = setUp(['']);
  triggers.probe();
  fire('', 'cpu.pressure');
  triggers.arm(() => {});
  expect(fs.held[0]).toBe('/fake/cpu.pressure=some 400000 2000000');
});

test('a kernel that refuses, or has no pressure, is told of and leaves nothing open', () => {
  const refusing = setUp();
  refusing.triggers.probe();
  refusing.fire('', 'cpu.pressure');
  refusing.fs.fault = (file) => (file === 'io.pressure' ? 'EINVAL' : undefined);
  expect(refusing.triggers.arm(() => {})).toBe(false);
  expect(refusing.fs.held).toEqual([]);

  const fs = new FakeCgroupFs(2);
  fs.create('');
  const without = new PressureTriggers(fs, fs.mounts, '/ecs');
  without.probe();
  expect(without.capability).toMatch(/^partial: refused here/);

  const v1 = new FakeCgroupFs(1);
  const alone = new PressureTriggers(v1, v1.mounts, '/ecs');
  alone.probe();
  expect(alone.capability).toMatch(/^partial: refused here/);
});
