import { beforeEach, expect, test } from 'vitest';
import type { HostTopology } from '../layers/domain/isolation/topology.ts';
import { probeCapabilities } from './capabilities.ts';
import { CpusetPartitions } from './cpusetPartition.ts';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import type { Journal } from './journal.ts';
import { Reconciler } from './reconciler.ts';
import { taskReport } from './taskReport.ts';
import { TaskTable } from './taskTable.ts';

const topology: HostTopology = {
  cgroupVersion: 2,
  cpus: [0, 1, 2, 3].map((id) => ({ id, core: `0:${id}`, node: 0 })),
  memoryBytes: 2 ** 34,
  swapBytes: 0,
  pageBytes: 4096,
  hugePageSizes: [],
};
const journal: Journal = {
  entries: () => new Map(),
  record: () => {},
  forget: () => {},
  keepOnly: () => {},
};
let fs: FakeCgroupFs;
let partitions: CpusetPartitions;

beforeEach(() => {
  fs = new FakeCgroupFs(2);
  fs.create('/ecs');
  partitions = new CpusetPartitions(fs, fs.mounts, '/ecs');
});

const setUp = () => {
  const table = new TaskTable({
    fs,
    mounts: fs.mounts,
    topology,
    reconciler: new Reconciler(fs, fs.mounts, journal),
    partitions,
    deviceOf: () => undefined,
    defer: () => {},
    now: () => 0,
    log: () => {},
  });
  const arrive = (task: string): void => {
    if (fs.inode(`/fake/ecs/${task}`) === undefined) fs.create(`/ecs/${task}`);
    const view = {
      containerId: `c-${task}`,
      name: 'main',
      taskArn: `arn/${task}`,
      taskId: task,
      profile: { qos: 'guaranteed', cpu: { partition: 'root' } },
      cpuUnits: 1024,
      pid: 0,
      running: false,
    } as const;
    table.seen(view, `/ecs/${task}`);
  };
  const refused = (task: string) => {
    const entry = table.tasks.get(`/ecs/${task}`);
    return entry === undefined ? undefined : taskReport(entry, undefined, {}).refused;
  };
  return { table, arrive, refused };
};
const value = (task: string, file: string): string => fs.read(`/fake/ecs/${task}/${file}`).trim();

test('a partition is made of CPUs that may be given away, after they are the task’s own, and found again', () => {
  fs.set('/fake/ecs', 'cpuset.cpus.exclusive.effective', '2-3');
  const { arrive, refused } = setUp();
  arrive('a');
  expect(refused('a')).toEqual([]);
  const files = ['cpuset.cpus', 'cpuset.cpus.exclusive', 'cpuset.cpus.partition'];
  expect(files.map((file) => value('a', file))).toEqual(['2', '2', 'root']);
  const cpusets = fs.written.filter((line) => line.includes('/a/cpuset'));
  expect(cpusets.map((line) => line.slice(line.lastIndexOf('/') + 1))).toEqual([
    'cpuset.cpus=2',
    'cpuset.cpus.exclusive=2',
    'cpuset.cpus.partition=root',
  ]);
  // What is given away is no longer there to be given: the task that has it keeps it, also from the next agent.
  fs.set('/fake/ecs', 'cpuset.cpus.exclusive.effective', '');
  const { length } = fs.written;
  const next = setUp();
  next.arrive('a');
  expect(next.refused('a')).toEqual([]);
  expect(fs.written.slice(length)).toEqual([]);
});

test('where no partition is legal none is tried, and the reason is told', () => {
  const { arrive, refused } = setUp();
  arrive('a');
  const reason = '/ecs is none (member), and names no CPUs in cpuset.cpus.exclusive';
  expect(refused('a')).toEqual([{ knob: 'cpu.partition', reason }]);
  expect(value('a', 'cpuset.cpus')).toBe('0');
  expect(fs.written.filter((line) => line.includes('partition'))).toEqual([]);
  const capabilities = probeCapabilities(fs, fs.mounts, topology, '/ecs', partitions);
  expect(capabilities.cpusetPartition).toBe(`no: ${reason}`);
  fs.set('/fake/ecs', 'cpuset.cpus.partition', 'root');
  expect(partitions.obstacle()).toBeUndefined();
  expect(partitions.candidates()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('what the kernel finds invalid is taken back once, told, and not tried again', () => {
  fs.set('/fake/ecs', 'cpuset.cpus.exclusive.effective', '0-3');
  fs.answer = (file, written) =>
    file === 'cpuset.cpus.partition' && written === 'root' ? 'root invalid (taken)' : undefined;
  const { table, arrive, refused } = setUp();
  arrive('a');
  const reason = 'reads root invalid (taken) after writing root';
  expect(refused('a')).toEqual([{ knob: 'cpu.partition', reason }]);
  expect(value('a', 'cpuset.cpus.partition')).toBe('member');
  expect(value('a', 'cpuset.cpus')).toBe('0');
  const { length } = fs.written;
  for (let look = 0; look < 10; look += 1) table.reconcileAll();
  expect(fs.written.length).toBe(length);
});

test('what a protection is worth is what ECS’s group lets it be', () => {
  const memoryMin = (): string | undefined =>
    probeCapabilities(fs, fs.mounts, topology, '/ecs', partitions).memoryMin;
  expect(memoryMin()).toMatch(/^no: \/ecs has none/);
  fs.set('/fake/ecs', 'memory.max', '1000000');
  expect(memoryMin()).toMatch(/^partial: .* neighbours below its limit/);
  fs.set('/fake/ecs', 'memory.min', '4096');
  expect(memoryMin()).toBe('partial: for all tasks together /ecs has 4096 bytes');
  fs.set('/fake/ecs', 'memory.min', 'max');
  expect(memoryMin()).toBe('yes');
});
