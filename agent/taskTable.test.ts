import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostTopology } from '../layers/domain/isolation/topology.ts';
import { CpusetPartitions } from './cpusetPartition.ts';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import { fileJournal, type Journal } from './journal.ts';
import { Reconciler } from './reconciler.ts';
import { taskReport } from './taskReport.ts';
import { TaskTable } from './taskTable.ts';
import type { ContainerView } from './taskView.ts';
import { startGuard } from './testGuard.ts';

let directory: string;
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-table-'));
  journal = fileJournal(directory, 'boot');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const usedBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

const view = (task: string, overrides: Partial<ContainerView> = {}): ContainerView => ({
  containerId: `c-${task}`,
  name: 'main',
  taskArn: `arn:aws:ecs:us-east-1:000000000000:task/demo/${task}`,
  taskCgroup: `/ecs/${task}`,
  taskId: task,
  profile: { qos: 'burstable' },
  cpuUnits: 512,
  memoryBytes: 2 ** 28,
  pid: 0,
  running: false,
  ...overrides,
});

describe.each([1, 2] as const)('cgroup v%i', (version) => {
  const setUp = (fs = new FakeCgroupFs(version)) => {
    if (fs.inode(version === 2 ? '/fake/ecs' : '/fake/memory/ecs') === undefined) fs.create('/ecs');
    const topology: HostTopology = {
      cgroupVersion: version,
      cpus: Array.from({ length: 8 }, (_, id) => ({ id, core: `0:${id >> 1}`, node: 0 })),
      memoryBytes: 2 ** 34,
      swapBytes: 0,
      pageBytes: 4096,
      hugePageSizes: [],
    };
    const due: (() => void)[] = [];
    /** Runs what was deferred, and what that defers in turn. */
    const settle = (): void => {
      for (let work = due.shift(); work !== undefined; work = due.shift()) work();
    };
    const reconciler = new Reconciler(fs, fs.mounts, journal);
    const table = new TaskTable({
      fs,
      mounts: fs.mounts,
      topology,
      reconciler,
      partitions: new CpusetPartitions(fs, fs.mounts, '/ecs'),
      deviceOf: () => undefined,
      defer: (work) => due.push(work),
      now: () => 1_000,
      log: () => {},
    });
    const arrive = (task: string, overrides: Partial<ContainerView> = {}): void => {
      if (fs.inode(root('memory', task)) === undefined) fs.create(`/ecs/${task}`);
      table.seen(view(task, overrides), `/ecs/${task}`);
    };
    const root = (controller: string, task: string): string =>
      version === 2 ? `/fake/ecs/${task}` : `/fake/${controller}/ecs/${task}`;
    const value = (controller: string, task: string, file: string): string =>
      fs.read(`${root(controller, task)}/${file}`).trim();
    return { fs, table, arrive, root, value, settle };
  };

  test('at rest nothing is written, however often it looks', () => {
    const { fs, table, arrive } = setUp();
    for (const task of ['a', 'b', 'c']) arrive(task);
    const { length } = fs.written;
    for (let look = 0; look < 100; look += 1) table.reconcileAll();
    expect(fs.written.length - length).toBe(0);
  });

  test('what another writer changes returns at once, and two stubborn writers do not spin', () => {
    const { fs, arrive, root, value, settle } = setUp();
    arrive('a', { profile: { qos: 'burstable', pids: { max: 50 } } });
    fs.set(root('pids', 'a'), 'pids.max', '400');
    settle();
    expect(value('pids', 'a', 'pids.max')).toBe('50');
    const before = fs.written.length;
    for (let round = 0; round < 1_000; round += 1) {
      fs.set(root('pids', 'a'), 'pids.max', '400');
      settle();
    }
    expect(fs.written.length - before).toBeLessThanOrEqual(20);
  });

  test('a pinned task gets whole cores, all others the rest, and the rest grows back', () => {
    const { fs, table, arrive, value } = setUp();
    arrive('web');
    arrive('pinned', { profile: { qos: 'guaranteed' }, cpuUnits: 2048 });
    expect(value('cpuset', 'pinned', 'cpuset.cpus')).toBe('0-1');
    expect(value('cpuset', 'web', 'cpuset.cpus')).toBe('2-7');
    arrive('late');
    expect(value('cpuset', 'late', 'cpuset.cpus')).toBe('2-7');
    // An agent that starts anew leaves the cores where they are.
    const { length } = fs.written;
    const again = setUp(fs);
    again.arrive('late');
    again.arrive('pinned', { profile: { qos: 'guaranteed' }, cpuUnits: 2048 });
    again.arrive('web');
    expect(value('cpuset', 'pinned', 'cpuset.cpus')).toBe('0-1');
    expect(value('cpuset', 'web', 'cpuset.cpus')).toBe('2-7');
    expect(fs.written.slice(length).filter((line) => line.includes('/pinned/'))).toEqual([]);
    fs.remove('/ecs/pinned');
    table.dropGone();
    expect(value('cpuset', 'web', 'cpuset.cpus')).toBe('0-7');
  });

  test('what is frozen by an agent that died is thawed by the next, what others froze is not', () => {
    const { fs, table, arrive, root } = setUp();
    const [file, frozen, thawed] =
      version === 2 ? ['cgroup.freeze', '1', '0'] : ['freezer.state', 'FROZEN', 'THAWED'];
    arrive('ours');
    arrive('theirs');
    table.squeeze('/ecs/ours', { frozen: { until: 5_000, resource: 'cpu' } });
    fs.set(root('freezer', 'theirs'), file, frozen);
    expect(fs.read(`${root('freezer', 'ours')}/${file}`).trim()).toBe(frozen);
    const again = setUp(fs);
    again.arrive('ours');
    again.arrive('theirs');
    expect(fs.read(`${root('freezer', 'ours')}/${file}`).trim()).toBe(thawed);
    expect(fs.read(`${root('freezer', 'theirs')}/${file}`).trim()).toBe(frozen);
  });

  test('a second container of the task adds to what it may use', () => {
    const { arrive, value } = setUp();
    arrive('a');
    arrive('a', { containerId: 'c-2', name: 'side', memoryBytes: 2 ** 27, cpuUnits: 1024 });
    const [controller, file] = version === 2 ? ['memory', 'memory.max'] : ['memory', 'memory.limit_in_bytes'];
    expect(value(controller, 'a', file)).toBe(String(2 ** 28 + 2 ** 27));
    expect(value('cpu', 'a', version === 2 ? 'cpu.weight' : 'cpu.shares')).toBe(
      version === 2 ? '150' : '1536',
    );
  });

  test('tells whether the values stood before the first process', () => {
    const { table, arrive } = setUp();
    arrive('early');
    arrive('late', { running: true, pid: 1, startedAt: 700 });
    const report = (task: string) => {
      const entry = table.tasks.get(`/ecs/${task}`);
      return entry === undefined ? undefined : taskReport(entry, undefined, {});
    };
    expect(report('early')).toMatchObject({ applied: true, inTime: true });
    expect(report('late')).toMatchObject({ applied: true, inTime: false, lateMs: 300 });
  });

  test('ten thousand arrivals and removals leave no watch, entry, descriptor, file or memory behind', async () => {
    const { fs, table, arrive, settle } = setUp(new FakeCgroupFs(version, { pressure: true }));
    fs.create('');
    const { guard, armAll, end } = startGuard(fs, table);
    fs.stall('', 'cpu', 0, 1);
    const [ownHeld, ownWatches] = [fs.held.length, fs.watchCount];
    let [held, watches] = [0, 0];
    const churn = (from: number, to: number): void => {
      for (let index = from; index < to; index += 1) {
        const cgroup = `/ecs/t${index}`;
        arrive(`t${index}`, { profile: { qos: index % 3 === 0 ? 'best-effort' : 'burstable' } });
        const entry = table.tasks.get(cgroup);
        if (entry === undefined) throw new Error('the task is not in the table');
        const before = fs.watchCount;
        guard.arrived(entry);
        // Some go before they are armed, some armed, some when they have fired.
        if (index % 4 > 0) armAll();
        if (index % 4 > 1) fs.stall(cgroup, 'cpu', 0.5, 500_000);
        held = Math.max(held, fs.held.length - ownHeld);
        watches = Math.max(watches, fs.watchCount - before);
        fs.remove(cgroup);
        journal.keepOnly(table.dropGone());
        settle();
        armAll();
        fs.written.length = 0;
      }
    };
    churn(0, 2_000);
    const before = usedBytes();
    churn(2_000, 10_000);
    expect(table.tasks.size).toBe(0);
    expect([held, watches]).toEqual([3, 1]);
    expect([fs.held.length, fs.watchCount]).toEqual([ownHeld, ownWatches]);
    expect(readdirSync(directory)).toEqual([]);
    // Leaking one entry a task would cost some 8 MB.
    expect(usedBytes() - before).toBeLessThan(4e6);
    await end();
    expect([fs.held.length, fs.watchCount]).toEqual([0, 0]);
  });
});
