import { expect, it } from 'vitest';
import { aCluster, aHost, aTask } from '../../test/support/records.ts';
import { createMemoryStore } from './memoryStore.ts';
import { ROOM_BOUND_MS, RoomWatch } from './roomInvariant.ts';

async function waiting(over: Parameters<typeof aTask>[0] = {}) {
  const store = createMemoryStore();
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  await store.acceptTask(aTask({ taskId: 't1', ...over }));
  const watch = new RoomWatch();
  return { store, look: (nowMs: number) => watch.look(store.tables, 'prod', nowMs) };
}

it('tells of a task that waits beside room for longer than the bound', async () => {
  const { look } = await waiting();
  expect(look(0)).toBeUndefined();
  expect(look(ROOM_BOUND_MS)).toBeUndefined();
  expect(look(ROOM_BOUND_MS + 1)).toMatchObject({ about: ['t1', aHost().hostId] });
});

it('counts anew when there was no room in between', async () => {
  const { store, look } = await waiting();
  look(0);
  await store.setHostState('prod', aHost().hostId, { from: ['READY'], to: 'CORDONED', reason: 'by test' });
  expect(look(60_000)).toBeUndefined();
  await store.setHostState('prod', aHost().hostId, { from: ['CORDONED'], to: 'READY', reason: 'by test' });
  expect(look(70_000)).toBeUndefined();
  expect(look(ROOM_BOUND_MS + 1)).toBeUndefined();
  expect(look(70_000 + ROOM_BOUND_MS + 1)).toBeDefined();
});

it('lets a task wait that backs off, is paused or has asked for more than there is', async () => {
  const backingOff = await waiting({ notBefore: 1e9 });
  const paused = await waiting();
  await paused.store.setPaused('prod', true, 1);
  const large = await waiting({ spec: { ...aTask().spec, demand: { cpu: 1e6, memory: 1 } } });
  for (const { look } of [backingOff, paused, large]) {
    look(0);
    expect(look(ROOM_BOUND_MS + 1)).toBeUndefined();
  }
});
