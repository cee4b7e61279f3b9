import { expect, test } from 'vitest';
import type { PressedResource } from '../layers/domain/isolation/pressureLadder.ts';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import { GroupTriggers, LADDER_MARKS } from './groupTriggers.ts';

function setUp() {
  const fs = new FakeCgroupFs(2, { pressure: true });
  fs.create('/ecs');
  fs.create('/ecs/a');
  const fired: PressedResource[] = [];
  const triggers = new GroupTriggers(fs, '/fake/ecs/a', LADDER_MARKS, (resource) => fired.push(resource));
  return { fs, triggers, fired };
}

test('three descriptors and one watch, at the marks of the ladder', () => {
  const { fs, triggers } = setUp();
  expect(triggers.arm()).toBe('armed');
  expect(fs.held).toEqual([
    '/fake/ecs/a/cpu.pressure=some 400000 2000000',
    '/fake/ecs/a/memory.pressure=some 200000 2000000',
    '/fake/ecs/a/io.pressure=some 600000 2000000',
  ]);
  expect(fs.watchCount).toBe(1);
  expect(triggers.arm()).toBe('armed');
  expect(fs.held).toHaveLength(3);
  triggers.close();
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
});

test('one that fires tells which resource stalls, once; the others stay armed', () => {
  const { fs, triggers, fired } = setUp();
  triggers.arm();
  fs.stall('/ecs/a', 'memory', 0.05, 150_000);
  expect(fired).toEqual([]);
  fs.stall('/ecs/a', 'memory', 0.15, 150_000);
  fs.stall('/ecs/a', 'memory', 0.2, 900_000);
  expect(fired).toEqual(['memory']);
  expect(fs.held.map((line) => line.split('=')[0])).toEqual([
    '/fake/ecs/a/cpu.pressure',
    '/fake/ecs/a/io.pressure',
  ]);
});

test('a trigger that is written, by itself or by another, is not taken for one that fires', () => {
  const { fs, triggers, fired } = setUp();
  triggers.arm();
  // The kernel's word of our own writes comes when they are long done, to a watch that stood before.
  for (const file of ['cpu.pressure', 'memory.pressure', 'io.pressure'])
    fs.set('/fake/ecs/a', file, fs.read(`/fake/ecs/a/${file}`).trim());
  fs.hold('/fake/ecs/a/cpu.pressure', 'some 1 2000000')();
  fs.set('/fake/ecs/a', 'memory.max', '1');
  expect(fired).toEqual([]);
  expect(fs.held).toHaveLength(3);
});

test('what has fired is armed anew when it is below its mark, and not before', () => {
  const { fs, triggers, fired } = setUp();
  triggers.arm();
  fs.stall('/ecs/a', 'cpu', 0.5, 500_000);
  expect(triggers.arm()).toBe('above');
  expect(fs.held).toHaveLength(2);
  fs.stall('/ecs/a', 'cpu', 0.19, 0);
  expect(triggers.arm()).toBe('armed');
  expect(fs.held).toHaveLength(3);
  // What it stalled before counts no more.
  fs.stall('/ecs/a', 'cpu', 0.19, 399_000);
  expect(fired).toEqual(['cpu']);
  fs.stall('/ecs/a', 'cpu', 0.25, 1_000);
  expect(fired).toEqual(['cpu', 'cpu']);
});

test.each(['EBUSY', 'EOPNOTSUPP', 'ENOSPC', 'EMFILE'])('%s midway leaves nothing open', (code) => {
  const { fs, triggers } = setUp();
  fs.fault = (file) => (file === 'io.pressure' ? code : undefined);
  expect(triggers.arm()).toEqual({ refused: code });
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
  fs.fault = () => undefined;
  expect(triggers.arm()).toBe('armed');
});

test('a group that vanishes midway, or while it is armed, leaves nothing open', () => {
  const { fs, triggers, fired } = setUp();
  fs.fault = (file) => {
    if (file === 'memory.pressure') fs.remove('/ecs/a');
    return undefined;
  };
  expect(triggers.arm()).toEqual({ refused: 'ENOENT' });
  expect(fs.held).toEqual([]);
  fs.fault = () => undefined;
  fs.create('/ecs/a');
  expect(triggers.arm()).toBe('armed');
  fs.remove('/ecs/a');
  expect(triggers.arm()).toBe('armed');
  triggers.close();
  expect(fs.held).toEqual([]);
  expect(fired).toEqual([]);
});
