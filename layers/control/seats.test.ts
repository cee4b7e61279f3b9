import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost, aTask, aTaskSpec } from '../../test/support/records.ts';
import { explainTask } from './operate/explain.ts';
import { schedulePass } from './schedulePass.ts';
import { settleAttempt } from './settleAttempt.ts';
import { fakeWorld } from './testWorld.ts';

const spec = aTaskSpec({ concurrency: { key: 'orders-db', max: 1 } });

async function worldOf(...ids: readonly string[]) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  for (const [index, taskId] of ids.entries()) {
    await store.acceptTask(aTask({ taskId, spec, acceptedAt: 1_790_000_000_000 + index }));
  }
  return { store, world };
}

const stateOf = async ({ store }: Awaited<ReturnType<typeof worldOf>>, taskId: string) =>
  (await store.getTask(taskId))?.state;

it('gives the next task its place when the one before has ended, without buying for those that wait', async () => {
  const all = await worldOf('one', 'two');
  const { store, world } = all;
  const asked: string[] = [];
  world.bus.provision = async (_cluster, reason) => void asked.push(reason);
  expect(await schedulePass(world, 'prod', [])).toMatchObject({ placed: 1, waiting: 1, unmet: 0 });
  expect([await stateOf(all, 'one'), await stateOf(all, 'two')]).toEqual(['PLACED', 'PENDING']);
  expect((await explainTask(world, 'two'))?.summary).toBe(
    'It waits: key "orders-db" has 1 of 1 running: one.',
  );
  const one = await store.getTask('one');
  if (one === undefined) throw new Error('gone');
  await settleAttempt(world, one, { cause: 'EXIT_ZERO', detail: 'exit code 0', exitCode: 0 });
  expect(await schedulePass(world, 'prod', [])).toMatchObject({ placed: 1 });
  expect(await stateOf(all, 'two')).toBe('PLACED');
  const taken = await store.listSeats('prod', ['orders-db']);
  expect(taken.get('orders-db')).toEqual([{ taskId: 'two', attempt: 1 }]);
  expect(asked).toEqual([]);
});

it('takes the seat of an attempt that was put back for its next one', async () => {
  const { store, world } = await worldOf('one');
  await schedulePass(world, 'prod', []);
  const one = await store.getTask('one');
  if (one === undefined) throw new Error('gone');
  await settleAttempt(world, one, { cause: 'HOST_LOST', detail: 'the host is gone' });
  world.advance(600_000);
  expect(await schedulePass(world, 'prod', [])).toMatchObject({ placed: 1 });
  expect((await store.listSeats('prod', ['orders-db'])).get('orders-db')).toEqual([
    { taskId: 'one', attempt: 2 },
  ]);
});

it('plans anew what finds its seat taken since the snapshot', async () => {
  const all = await worldOf('one', 'two');
  const { store, world } = all;
  const blind = { ...world, store: { ...store, listSeats: async () => new Map() } };
  await schedulePass(blind, 'prod', []);
  expect(await schedulePass(blind, 'prod', [])).toMatchObject({ placed: 0, stale: 1 });
  expect(await stateOf(all, 'two')).toBe('PENDING');
  expect(world.woken.at(-1)).toMatchObject({ taskIds: ['two'], delayMs: 1_000 });
});
