import { expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost } from '../../test/support/records.ts';
import { DISCONNECTED } from './hostReasons.ts';
import { observeHost, observeInterruption, observeMachine } from './observeHost.ts';
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

it('follows an agent to its new registration and drops the one that it has left behind', async () => {
  const store = createMemoryStore();
  const dropped: string[] = [];
  const fake = fakeWorld(store);
  const deregister = async (_cluster: string, arn: string) => void dropped.push(arn);
  const world = { ...fake, containers: { ...fake.containers, deregister } };
  await store.ensureCluster(aCluster());
  const { hostId, cluster, capacity } = aHost();
  await store.addHost(aHost({ state: 'BOOTING' }));
  const facts = { hostId, cluster, capacity, attributes: {}, status: 'ACTIVE', agentConnected: true };
  const first = { ...facts, containerInstanceArn: 'arn:ci:1', version: 1, registeredAt: 10 };
  const second = { ...facts, containerInstanceArn: 'arn:ci:2', version: 1, registeredAt: 90 };
  await observeHost(world, first);
  await observeHost(world, { ...first, version: 30, agentConnected: false });
  expect(await store.getHost(cluster, hostId)).toMatchObject({
    state: 'CORDONED',
    stateReason: DISCONNECTED,
  });
  expect(await observeHost(world, second)).toBe('freed');
  expect(dropped).toEqual(['arn:ci:1']);
  expect(await store.getHost(cluster, hostId)).toMatchObject({
    state: 'READY',
    containerInstanceArn: 'arn:ci:2',
  });
  // ECS may tell of the first again, in any order and with higher versions: it is about nobody any more.
  await observeHost(world, { ...first, version: 31, agentConnected: false });
  await observeHost(world, { ...first, version: 32, status: 'INACTIVE', agentConnected: false });
  expect(dropped).toEqual(['arn:ci:1', 'arn:ci:1']);
  expect(await store.getHost(cluster, hostId)).toMatchObject({
    state: 'READY',
    containerInstanceArn: 'arn:ci:2',
  });
});
