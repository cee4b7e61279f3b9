import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost } from '../../test/support/records.ts';
import { observeInterruption, observeMachine } from './observeHost.ts';
import { fakeWorld } from './testWorld.ts';

it('does not buy again where EC2 takes a Spot host back, for a while', async () => {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  const host = aHost({ lifecycle: 'spot' });
  await store.addHost(host);
  await observeInterruption(world, { hostId: host.hostId, kind: 'rebalance' });
  expect(await store.listInsufficientCapacity('prod', world.clock.now())).toEqual([]);
  await observeInterruption(world, { hostId: host.hostId, kind: 'interruption' });
  const { instanceType, zone } = host;
  const out = () => store.listInsufficientCapacity('prod', world.clock.now());
  expect(await out()).toMatchObject([{ instanceType, zone, lifecycle: 'spot', code: 'SpotInterruption' }]);
  world.advance(600_000);
  expect(await out()).toEqual([]);
});

it('notes the end of a host from when EC2 says it was, the first time that it does', async () => {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  const { hostId } = aHost();
  await store.addHost(aHost());
  const given = { from: ['READY'], to: 'TERMINATING', reason: 'idle for 60 s' } as const;
  await store.setHostState('prod', hostId, given);
  const ends: unknown[] = [];
  store.tables.onHostWritten = (_before, after) => ends.push(after && [after.stateReason, after.stateSince]);
  await observeMachine(world, { hostId, state: 'shutting-down', time: 7_000 });
  await observeMachine(world, { hostId, state: 'shutting-down', time: 7_000 });
  await observeMachine(world, { hostId, state: 'terminated', time: 9_000 });
  expect(ends).toEqual([['idle for 60 s', 7_000], undefined]);
});
