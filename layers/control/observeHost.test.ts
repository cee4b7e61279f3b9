import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost } from '../../test/support/records.ts';
import { observeInterruption } from './observeHost.ts';
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
