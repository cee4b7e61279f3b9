import { expect, test } from 'vitest';
import type { QosClass } from '../layers/domain/isolation/profile.ts';
import { FakeCgroupFs, type WriteFault } from './fakeCgroupFs.ts';
import type { TaskEntry, TaskTable } from './taskTable.ts';
import { startGuard } from './testGuard.ts';

const entryOf = (task: string, qos: QosClass): TaskEntry => ({
  cgroup: `/ecs/${task}`,
  taskArn: `arn/${task}`,
  containers: new Map(),
  qos,
  results: [],
  inTime: true,
  appliedOnce: true,
  repairs: [],
  lookDue: false,
  unwatch: [],
});

/** A guard on a host with tasks of these names. */
function setUp(
  tasks: readonly string[],
  fs = new FakeCgroupFs(2, { pressure: true }),
  fault: WriteFault = (_, value) => (value.endsWith(' 1000000') ? 'EINVAL' : undefined),
) {
  for (const group of ['', '/ecs', ...tasks.map((task) => `/ecs/${task}`)]) fs.create(group);
  fs.fault = fault;
  const entries = new Map(
    tasks.map((task) => [
      `/ecs/${task}`,
      entryOf(task, task.startsWith('hog') ? 'best-effort' : 'burstable'),
    ]),
  );
  const squeezed: string[] = [];
  const table = {
    tasks: entries,
    squeeze: (cgroup, squeeze) => {
      if (squeeze !== undefined) squeezed.push(cgroup);
    },
  } satisfies Pick<TaskTable, 'tasks' | 'squeeze'>;
  const started = startGuard(fs, table);
  return { fs, entries, squeezed, ...started };
}

test('a task that stalls is named, its quiet neighbour is not, and the ladder acts for it', async () => {
  const { fs, guard, entries, log, notices, squeezed, pass, armAll, end } = setUp(['web', 'quiet', 'hog']);
  fs.stall('', 'cpu', 0, 1);
  for (const entry of entries.values()) guard.arrived(entry);
  armAll();
  expect(guard.capability).toBe('yes');
  expect(fs.held.filter((line) => line.includes('/quiet/'))).toHaveLength(3);
  await pass();
  for (const group of ['/ecs/web', '/ecs']) fs.stall(group, 'cpu', 0.5, 500_000);
  expect(log).toEqual(['cpu stalls web', 'cpu stalls all tasks']);
  for (let look = 0; look < 4; look += 1) await pass();
  expect(notices.map(({ taskId, detail }) => `${taskId} ${detail}`)).toEqual([
    'hog escalate headroom (cpu pressure 0.50 of web, mark 0.2)',
  ]);
  expect(squeezed).toContain('/ecs/hog');
  expect(fs.held.filter((line) => line.includes('/quiet/'))).toHaveLength(3);
  await end();
  expect(fs.held).toEqual([]);
  expect(fs.watchCount).toBe(0);
});

test('a task that stalls again and again is named once a minute', async () => {
  const { fs, guard, entries, log, pass, armAll, end, now } = setUp(['web']);
  fs.stall('', 'cpu', 0, 1);
  for (const entry of entries.values()) guard.arrived(entry);
  armAll();
  const named: number[] = [];
  while (now() < 150_000) {
    const { length } = log;
    fs.stall('/ecs/web', 'io', 0.1, 700_000);
    if (log.length > length) named.push(now());
    await pass();
  }
  expect(new Set(log)).toEqual(new Set(['io stalls web']));
  expect(named).toHaveLength(3);
  for (const [index, at] of named.slice(1).entries())
    expect(at - (named[index] ?? 0)).toBeGreaterThanOrEqual(60_000);
  await end();
});

test('an entry that is forgotten takes its triggers along, however often it arrived', async () => {
  const { fs, guard, entries, armAll, end } = setUp(['web']);
  fs.stall('', 'cpu', 0, 1);
  const entry = entries.get('/ecs/web');
  if (entry === undefined) throw new Error('no such task');
  for (let time = 0; time < 3; time += 1) {
    guard.arrived(entry);
    armAll();
  }
  expect(entry.unwatch).toHaveLength(1);
  expect(fs.held.filter((line) => line.includes('/web/'))).toHaveLength(3);
  for (const stop of entry.unwatch) stop();
  expect(fs.held.filter((line) => line.includes('/web/'))).toEqual([]);
  await end();
});

test('the capability says what is told of how', async () => {
  const { fs, guard, entries, pass, armAll, end } = setUp(['web', 'quiet']);
  expect(guard.capability).toBe('partial: none has fired yet, pressure is read every two seconds');
  fs.stall('', 'cpu', 0, 1);
  fs.fault = (file) => (fs.held.length >= 6 && file === 'io.pressure' ? 'EMFILE' : undefined);
  for (const entry of entries.values()) guard.arrived(entry);
  armAll();
  expect(guard.capability).toBe(
    'partial: tasks without triggers of their own: 1 (EMFILE), those of all tasks tell of them',
  );
  fs.fault = () => undefined;
  await pass();
  await pass();
  expect(guard.capability).toBe('yes');
  await end();

  const older = setUp([], new FakeCgroupFs(2, { pressure: true }), () => undefined);
  older.fs.stall('', 'cpu', 0, 1);
  expect(older.guard.capability).toBe('partial: the kernel keeps a thread for each task');
  await older.end();
  const refused = setUp([], new FakeCgroupFs(2));
  expect(refused.guard.capability).toBe('partial: refused here, pressure is read every two seconds');
  await refused.end();
});
