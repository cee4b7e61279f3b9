import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aPool, aTask, aTaskSpec } from '../../test/support/records.ts';
import type { Task, TaskSpec } from '../domain/model/task.ts';
import type { Store } from '../ports/store.ts';
import { PassMemory } from './passMemory.ts';
import { schedulePass } from './schedulePass.ts';
import { type FakeWorld, fakeWorld } from './testWorld.ts';

/** Of ten tasks each. */
const HOSTS = 20;
const demand = { cpu: 200, memory: 370 };

interface Reads {
  whole: number;
  readonly some: (readonly string[])[];
}

/** Notes what is read of hosts. */
function counted(inner: Store, reads: Reads): Store {
  return {
    ...inner,
    listHosts: (cluster, hostIds) => {
      if (hostIds === undefined) reads.whole += 1;
      else reads.some.push(hostIds);
      return inner.listHosts(cluster, hostIds);
    },
  };
}

let reads: Reads;
let world: FakeWorld;
let memory: PassMemory;
const hostId = (n: number): string => `i-${String(n).padStart(2, '0')}`;

beforeEach(async () => {
  const store = createMemoryStore();
  await store.ensureCluster(aCluster({ cells: 4, pools: [aPool({ maxHosts: HOSTS })] }));
  for (let n = 0; n < HOSTS; n += 1) await store.addHost(aHost({ hostId: hostId(n) }));
  reads = { whole: 0, some: [] };
  world = fakeWorld(counted(store, reads));
  memory = new PassMemory();
});

const pass = (changedHosts?: readonly string[], taskIds: readonly string[] = []) =>
  schedulePass(world, 'prod', taskIds, { memory, ...(changedHosts !== undefined && { changedHosts }) });
const arrives = async (taskId: string, over: Partial<TaskSpec> = {}): Promise<Task> =>
  (await world.store.acceptTask(aTask({ taskId, spec: aTaskSpec({ demand, ...over }) }))).task;
const taskOf = async (taskId: string): Promise<Task | undefined> => world.store.getTask(taskId);

describe('a pass that is told which hosts have changed', () => {
  it('reads all once, and then only what has changed', async () => {
    await arrives('t1');
    expect(await pass([])).toMatchObject({ placed: 1, whole: true });
    const first = (await taskOf('t1'))?.hostId;
    await arrives('t2');
    expect(await pass([])).toMatchObject({ placed: 1, whole: false });
    expect(reads).toEqual({ whole: 1, some: [[first]] });
    expect((await taskOf('t2'))?.hostId).toBe(first);
    await pass([hostId(7), hostId(8)]);
    expect(reads.some.at(-1)).toEqual([first, hostId(7), hostId(8)]);
  });

  it('reads all when it is told nothing, after half a minute, or when too much has changed', async () => {
    await pass();
    await pass();
    expect(reads.whole).toBe(2);
    world.advance(29_999);
    expect(await pass([])).toMatchObject({ whole: false });
    world.advance(1);
    expect(await pass([])).toMatchObject({ whole: true });
    expect(await pass(Array.from({ length: 17 }, (_, n) => hostId(n)))).toMatchObject({ whole: true });
  });

  it('reads all for a task that finds no room in the copy, and buys only then', async () => {
    await pass();
    const asked: string[] = [];
    world.bus.provision = async (_cluster, reason) => void asked.push(reason);
    await arrives('large', { demand: { cpu: 4_000, memory: 370 } });
    expect(await pass([])).toMatchObject({ placed: 0, unmet: 1, whole: true });
    expect(asked).toEqual(['1 tasks fit no host']);
    expect(reads.whole).toBe(2);
  });

  it('lets wait what has been looked at, and places it where room is said to have come', async () => {
    const full = Array.from({ length: HOSTS }, (_, n) => n);
    for (const n of full)
      await world.store.setHostState('prod', hostId(n), {
        from: ['READY'],
        to: 'CORDONED',
        reason: 'by test',
      });
    await arrives('waits');
    expect(await pass([])).toMatchObject({ placed: 0, waiting: 1, whole: true });
    // What `provision` writes, once it has been asked.
    const looked = { hostsConsidered: HOSTS, refusals: {}, next: 'capacity is on its way' };
    await world.store.recordWait(await waiting('waits'), {
      code: 'WAITING',
      detail: '',
      explanation: looked,
    });
    expect(await pass([])).toMatchObject({ placed: 0, whole: false });
    await world.store.setHostState('prod', hostId(5), { from: ['CORDONED'], to: 'READY', reason: 'by test' });
    expect(await pass([])).toMatchObject({ placed: 0, whole: false });
    expect(await pass([hostId(5)])).toMatchObject({ placed: 1, whole: false });
    expect((await taskOf('waits'))?.hostId).toBe(hostId(5));
    expect(reads.whole).toBe(1);
  });

  it('sees all hosts as they are for a task that looks at its neighbours', async () => {
    await pass();
    await arrives('alone', { placement: { strategies: [], constraints: [{ type: 'distinctInstance' }] } });
    expect(await pass([])).toMatchObject({ placed: 1, whole: true });
  });

  it('plans anew on all hosts when the copy has misled it', async () => {
    await arrives('t1');
    await pass();
    const host = (await taskOf('t1'))?.hostId ?? '';
    await pass([]);
    // Another process takes it out of service, and tells nobody.
    await world.store.setHostState('prod', host, { from: ['READY'], to: 'DRAINING', reason: 'by test' });
    await arrives('t2');
    expect(await pass([], ['t2'])).toMatchObject({ placed: 0, stale: 1, whole: false });
    expect(world.woken.at(-1)).toMatchObject({ taskIds: ['t2'], delayMs: 0 });
    expect(await pass([], ['t2'])).toMatchObject({ placed: 1, whole: true });
    expect((await taskOf('t2'))?.hostId).not.toBe(host);
  });

  it('asks for a pass over all hosts when one of those that it reads is idle for long enough', async () => {
    const idleSince = world.clock.now() - 3_600_000;
    await pass();
    await world.store.addHost(aHost({ hostId: 'i-idle', idleSince, launchedAt: idleSince }));
    expect(await pass(['i-idle'])).toMatchObject({ whole: false });
    expect((await world.store.getHost('prod', 'i-idle'))?.state).toBe('READY');
    expect(world.woken.at(-1)).toMatchObject({ delayMs: 0 });
    await pass();
    expect((await world.store.getHost('prod', 'i-idle'))?.state).toBe('TERMINATING');
  });
});

it('reads a cluster of one cell whole, whatever it is told', async () => {
  const store = createMemoryStore();
  await store.ensureCluster(aCluster({ pools: [aPool()] }));
  const single = fakeWorld(counted(store, reads));
  for (let n = 0; n < 2; n += 1) {
    expect(await schedulePass(single, 'prod', [], { changedHosts: [], memory })).toMatchObject({
      whole: true,
    });
  }
  expect(reads).toEqual({ whole: 2, some: [] });
});

async function waiting(taskId: string): Promise<Task> {
  const task = await taskOf(taskId);
  if (task === undefined) throw new Error(`${taskId} is not on record`);
  return task;
}
