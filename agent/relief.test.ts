import { expect, test } from 'vitest';
import type { Notice } from '../layers/domain/isolation/hostReport.ts';
import type { HostTopology } from '../layers/domain/isolation/topology.ts';
import { CpusetPartitions } from './cpusetPartition.ts';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { Reconciler } from './reconciler.ts';
import { Relief } from './relief.ts';
import { TaskTable } from './taskTable.ts';
import { TaskWatches } from './taskWatch.ts';

const topology: HostTopology = {
  cgroupVersion: 2,
  cpus: [0, 1].map((id) => ({ id, core: `0:${id}`, node: 0 })),
  memoryBytes: 2 ** 33,
  swapBytes: 0,
  pageBytes: 4096,
  hugePageSizes: [],
};

function memoryJournal(): Journal {
  const known = new Map<number, Map<string, JournalEntry>>();
  return {
    entries: (inode) => known.get(inode) ?? new Map(),
    record: (inode, entries) => known.set(inode, new Map([...(known.get(inode) ?? []), ...entries])),
    forget: (inode) => known.delete(inode),
    keepOnly: () => {},
  };
}

function setUp(dryRun: boolean, fs = new FakeCgroupFs(2)) {
  for (const group of ['/ecs', '/ecs/web', '/ecs/hog']) fs.create(group);
  const table = new TaskTable({
    fs,
    mounts: fs.mounts,
    topology,
    reconciler: new Reconciler(fs, fs.mounts, memoryJournal()),
    partitions: new CpusetPartitions(fs, fs.mounts, '/ecs'),
    deviceOf: () => undefined,
    defer: () => {},
    now: () => 0,
    log: () => {},
  });
  const notices: Notice[] = [];
  const killed: string[] = [];
  const reclaimed: number[] = [];
  const watches = new TaskWatches(fs, fs.mounts, (notice) => notices.push(notice));
  for (const [task, qos] of [
    ['web', 'burstable'],
    ['hog', 'best-effort'],
  ] as const) {
    const view = {
      containerId: `c-${task}`,
      name: 'main',
      taskArn: `arn/${task}`,
      taskId: task,
      profile: { qos },
      cpuUnits: 512,
      memoryBytes: 2 ** 28,
      pid: 0,
      running: false,
    };
    table.seen(view, `/ecs/${task}`);
  }
  let pressure = { cpu: 0, memory: 0, io: 0 };
  const relief = new Relief({
    table,
    watches,
    dryRun,
    hostPressure: () => pressure,
    reclaim: (_, bytes) => {
      reclaimed.push(bytes);
      return Promise.resolve();
    },
    kill: (ids) => {
      killed.push(...ids);
      return Promise.resolve();
    },
    tell: (notice) => notices.push(notice),
    log: () => {},
  });
  const look = (atMs: number, host: number, stalled?: ReadonlySet<string>): boolean => {
    pressure = { ...pressure, cpu: host };
    return relief.look(atMs, stalled);
  };
  const watch = (resource: 'cpu' | 'memory', amount: number, fromMs: number, seconds: number): void => {
    pressure = { ...pressure, [resource]: amount };
    for (let at = fromMs; at < fromMs + seconds * 1000; at += 2_000) relief.look(at);
  };
  return { fs, notices, killed, reclaimed, watch, look };
}

test('a hog is squeezed in its files, and gets everything back', () => {
  const { fs, notices, watch } = setUp(false);
  watch('cpu', 0.6, 0, 8);
  expect(fs.read('/fake/ecs/hog/cpu.max').trim()).toBe('10000 100000');
  expect(fs.read('/fake/ecs/web/cpu.max').trim()).toBe('max 100000');
  expect(notices.at(-1)?.detail).toBe('escalate headroom (cpu pressure 0.60, mark 0.2)');
  watch('cpu', 0.6, 8_000, 34);
  expect(fs.read('/fake/ecs/hog/cgroup.freeze').trim()).toBe('1');
  watch('cpu', 0, 42_000, 120);
  expect(fs.read('/fake/ecs/hog/cpu.max').trim()).toBe('max 100000');
  expect(fs.read('/fake/ecs/hog/cgroup.freeze').trim()).toBe('0');
});

test('memory pressure ends in a kill only when nothing milder has helped', () => {
  const { fs, killed, reclaimed, watch } = setUp(false);
  fs.set('/fake/ecs/hog', 'memory.current', String(2 ** 27));
  watch('memory', 0.5, 0, 40);
  expect(killed).toEqual([]);
  expect(reclaimed).toEqual([Math.floor(2 ** 27 * 0.1)]);
  watch('memory', 0.5, 40_000, 40);
  expect(killed[0]).toBe('c-hog');
});

test('a dry run tells every step and takes none', () => {
  const { fs, notices, killed, reclaimed, watch } = setUp(true);
  const { length } = fs.written;
  watch('memory', 0.5, 0, 80);
  expect(fs.written).toHaveLength(length);
  expect([...killed, ...reclaimed]).toEqual([]);
  expect(notices.map(({ detail }) => detail.split(' (')[0])).toEqual([
    'dry run: escalate headroom',
    'dry run: escalate reclaim',
    'dry run: escalate freeze',
    'dry run: thaw freeze',
    'dry run: escalate evict',
    'dry run: escalate evict',
  ]);
});

test('it rests while many stall a little, and names the task for which it acts', () => {
  const { fs, notices, look } = setUp(false, new FakeCgroupFs(2, { pressure: true }));
  fs.stall('/ecs/web', 'cpu', 0.15, 150_000);
  expect(look(0, 0.9)).toBe(true);
  fs.stall('/ecs/web', 'cpu', 0.5, 500_000);
  expect(look(2_000, 0.9)).toBe(false);
  for (const at of [4_000, 6_000]) expect(look(at, 0.9)).toBe(false);
  expect(notices).toMatchObject([
    { taskId: 'hog', detail: 'escalate headroom (cpu pressure 0.50 of web, mark 0.2)' },
  ]);
});

test('at rest only what has stalled is read, and all as soon as a mark is passed', () => {
  const fs = new FakeCgroupFs(2, { pressure: true });
  const { notices, look } = setUp(false, fs);
  const read: string[] = [];
  const { read: reads } = fs;
  fs.read = (path) => {
    read.push(path);
    return reads.call(fs, path);
  };
  const readOf = (task: string): number =>
    read.filter((path) => path.startsWith(`/fake/ecs/${task}/`)).length;
  fs.stall('/ecs/web', 'cpu', 0.1, 100_000);
  expect(look(0, 0.9, new Set(['/ecs/web']))).toBe(true);
  expect(readOf('web')).toBeGreaterThan(0);
  expect(readOf('hog')).toBe(0);
  fs.stall('/ecs/web', 'cpu', 0.5, 500_000);
  for (const at of [2_000, 4_000, 6_000]) look(at, 0.9, new Set(['/ecs/web']));
  expect(readOf('hog')).toBeGreaterThan(0);
  expect(notices[0]?.taskId).toBe('hog');
});
