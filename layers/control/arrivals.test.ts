import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aTask, aTaskSpec } from '../../test/support/records.ts';
import { parseTaskRequest } from '../events/taskRequested/parse.ts';
import { acceptRequest } from './accept.ts';
import { queueForgotten } from './arrivals.ts';
import { explainTask } from './operate/explain.ts';
import { listTasks } from './operate/list.ts';
import { clusterStatus } from './operate/status.ts';
import { purchase } from './purchase.ts';
import { reconcileCluster } from './reconcile/reconcileCluster.ts';
import { schedulePass } from './schedulePass.ts';
import { fakeWorld } from './testWorld.ts';

/** As `accept` and `schedulePass` bound them. */
const MAX_HINTS = 100;
const MAX_WANTED = 2_000;

async function clusterOf(hosts: number) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  const provisioned: (readonly string[])[] = [];
  world.bus.provision = async (_cluster, _reason, { taskIds = [] } = {}) => void provisioned.push(taskIds);
  await store.ensureCluster(aCluster());
  for (let n = 1; n <= hosts; n += 1) await store.addHost(aHost({ hostId: `i-${n}` }));
  const request = (over: object = {}) => {
    const parsed = parseTaskRequest({ cluster: 'prod', taskDefinition: 'hello', ...over });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.value;
  };
  const accept = async (idempotencyKey: string, over: object = {}) => {
    const accepted = await acceptRequest(world, request(over), { source: 'shop', idempotencyKey });
    if (accepted.outcome !== 'accepted') throw new Error('rejected');
    return accepted.tasks.map(({ taskId }) => taskId);
  };
  const queue = async () => (await store.listPending('prod', 9_999)).tasks.map(({ taskId }) => taskId);
  const cluster = async () => (await store.getCluster('prod')) ?? aCluster();
  const arriving = async (ids: readonly string[]) =>
    (await store.getTasks(ids)).filter((task) => task.arriving).length;
  return { store, world, provisioned, accept, queue, cluster, arriving };
}

describe('what arrives', () => {
  it('is placed by the pass of its wake without ever being in the queue', async () => {
    const { store, world, accept, queue } = await clusterOf(1);
    const ids = await accept('one', { count: 2 });
    expect(world.woken).toEqual([{ reason: 'tasks accepted', taskIds: ids, delayMs: 0 }]);
    expect(await queue()).toEqual([]);
    expect(await schedulePass(world, 'prod', [])).toMatchObject({ placed: 0 });
    expect(await schedulePass(world, 'prod', ids)).toMatchObject({ placed: 2 });
    expect((await store.getTasks(ids)).map(({ state }) => state)).toEqual(['PLACED', 'PLACED']);
    expect([...(store.tables.arrivals.get('prod')?.values() ?? [])].map(({ taskIds }) => taskIds)).toEqual([
      ids,
    ]);
  });

  it('goes into the queue at once beyond what a wake names', async () => {
    const { accept, queue, arriving } = await clusterOf(0);
    const ids = await accept('many', { count: MAX_HINTS + 3 });
    expect((await queue()).sort()).toEqual(ids.slice(MAX_HINTS).sort());
    expect(await arriving(ids)).toBe(MAX_HINTS);
  });

  it('goes into the queue with the reason why it waits', async () => {
    const { store, world, accept, queue } = await clusterOf(0);
    await store.addHost(aHost({ state: 'BOOTING' }));
    const ids = await accept('one', { count: 2 });
    await schedulePass(world, 'prod', ids);
    expect((await queue()).sort()).toEqual([...ids].sort());
    expect((await store.getTasks(ids)).map(({ reason }) => reason.code)).toEqual(['WAITING', 'WAITING']);
  });

  it.each([
    ['the cluster is paused', undefined],
    ['its source is paused', 'shop'],
  ])('goes into the queue when %s', async (_why, source) => {
    const { store, world, accept, queue } = await clusterOf(1);
    const ids = await accept('one');
    await store.setPaused('prod', true, 5, source);
    await schedulePass(world, 'prod', ids);
    expect(await queue()).toEqual(ids);
  });

  it('is named to whoever buys for it, who queues it, tells why it waits and wakes the next pass', async () => {
    const { store, world, provisioned, accept, queue } = await clusterOf(0);
    const ids = await accept('one', { count: 2 });
    await schedulePass(world, 'prod', ids);
    expect(provisioned.map((hints) => [...hints].sort())).toEqual([[...ids].sort()]);
    expect(await queue()).toEqual([]);
    await purchase(world, 'prod', ids);
    expect((await queue()).sort()).toEqual([...ids].sort());
    expect((await store.getTasks(ids)).map(({ reason }) => reason.code)).toEqual(['WAITING', 'WAITING']);
    expect(world.woken.at(-1)).toMatchObject({ reason: 'what arrived is in the queue' });
    world.woken.length = 0;
    await purchase(world, 'prod', ids);
    expect(world.woken).toEqual([]);
  });

  it('is queued and woken for by the buyer when a host has room for it by then', async () => {
    const { store, world, accept, queue } = await clusterOf(0);
    const ids = await accept('one');
    await schedulePass(world, 'prod', ids);
    await store.addHost(aHost());
    await purchase(world, 'prod', ids);
    expect(await queue()).toEqual(ids);
    expect(world.woken.at(-1)?.taskIds).toEqual(ids);
  });

  it('is queued beyond what is named to the buyer', async () => {
    const { world, accept, queue } = await clusterOf(0);
    const ids: string[] = [];
    for (let n = 0; n < 21; n += 1) ids.push(...(await accept(`key-${n}`, { count: MAX_HINTS })));
    await schedulePass(world, 'prod', ids);
    expect(await queue()).toHaveLength(ids.length - MAX_WANTED);
  });

  it('stays beside the queue when its claim was lost and the next wake names it', async () => {
    const { store, world, accept, queue, arriving } = await clusterOf(1);
    const ids = await accept('one');
    const { claim } = store;
    store.claim = async () => ({ outcome: 'host-changed', host: undefined });
    await schedulePass(world, 'prod', ids);
    store.claim = claim;
    expect(world.woken.at(-1)?.taskIds).toEqual(ids);
    expect([await queue(), await arriving(ids)]).toEqual([[], 1]);
  });

  it('is shown to operators before any pass has seen it', async () => {
    const { store, world, accept, cluster } = await clusterOf(0);
    const [first = ''] = await accept('one');
    world.advance(1_000);
    await accept('two');
    const { tasks } = await listTasks(world, await cluster(), { limit: 9 });
    expect(tasks.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['one', 'two']);
    expect(await clusterStatus(world, 'prod')).toMatchObject({ pending: { tasks: 2, oldestSeconds: 1 } });
    const urgent = aTask({ taskId: 'late', acceptedAt: world.clock.now() + 1, spec: aTaskSpec() });
    await store.acceptTask(urgent);
    expect(await explainTask(world, 'late')).toMatchObject({ ahead: 2 });
    expect(await explainTask(world, first)).toMatchObject({ ahead: 0 });
  });
});

describe('what arrived and whose wake was lost', () => {
  it('is queued by the first round of reconcile two minutes later, which wakes the pass', async () => {
    const { world, accept, queue, cluster } = await clusterOf(1);
    const ids = await accept('one', { count: 2 });
    world.advance(119_000);
    expect((await reconcileCluster(world, await cluster())).tasksQueued).toBe(0);
    world.advance(1_000);
    world.woken.length = 0;
    expect((await reconcileCluster(world, await cluster())).tasksQueued).toBe(2);
    expect((await queue()).sort()).toEqual([...ids].sort());
    expect(world.woken).toEqual([{ reason: 'reconcile', taskIds: [], delayMs: 0 }]);
    expect(await schedulePass(world, 'prod', [])).toMatchObject({ placed: 2 });
  });

  it('is looked at once, and until its round is through', async () => {
    const { store, world, accept, cluster, queue } = await clusterOf(0);
    const ids = await accept('one');
    world.advance(130_000);
    const { queueTask, getTasks } = store;
    store.queueTask = async () => {
      throw new Error('cut off');
    };
    await expect(queueForgotten(world, await cluster())).rejects.toThrow('cut off');
    store.queueTask = queueTask;
    expect(await queueForgotten(world, await cluster())).toBe(1);
    expect(await queue()).toEqual(ids);
    store.getTasks = async () => {
      throw new Error('looked at again');
    };
    expect(await queueForgotten(world, await cluster())).toBe(0);
    store.getTasks = getTasks;
    await accept('two');
    world.advance(130_000);
    expect(await queueForgotten(world, await cluster())).toBe(1);
  });

  it('is found however much arrived in between', async () => {
    const { world, accept, cluster, queue } = await clusterOf(0);
    for (let n = 0; n < 450; n += 1) {
      await accept(`key-${n}`);
      if (n % 3 === 0) world.advance(1);
    }
    world.advance(130_000);
    expect(await queueForgotten(world, await cluster())).toBe(450);
    expect(await queue()).toHaveLength(450);
  });
});
