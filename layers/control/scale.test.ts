import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aPool } from '../../test/support/records.ts';
import type { AlarmChange } from '../events/cloudwatchAlarm/change.ts';
import type { Store } from '../ports/store.ts';
import { scaleByAlarm } from './scale.ts';
import { fakeWorld } from './testWorld.ts';

const change = (over: Partial<AlarmChange>): AlarmChange => ({
  alarmName: 'backlog',
  state: 'ALARM',
  dimensions: { ClusterName: 'prod' },
  time: 1_790_000_000_000,
  ...over,
});

describe('scaleByAlarm', () => {
  let store: Store;
  let scale: (over: Partial<AlarmChange>) => ReturnType<typeof scaleByAlarm>;
  const desired = async () => (await store.getCluster('prod'))?.pools[0]?.desiredHosts;
  beforeEach(async () => {
    store = createMemoryStore();
    await store.ensureCluster(aCluster({ pools: [aPool({ maxHosts: 9, alarmStep: 2 })] }));
    const world = fakeWorld(store);
    scale = (over) => scaleByAlarm(world, change(over));
  });

  it('counts one change once, told three times at once', async () => {
    const outcomes = await Promise.all([scale({}), scale({}), scale({})]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['known', 'known', 'scaled']);
    expect(await desired()).toBe(2);
  });

  it('counts alarms that come at once each by itself', async () => {
    await Promise.all([scale({}), scale({ alarmName: 'latency' }), scale({ alarmName: 'depth' })]);
    expect(await desired()).toBe(6);
  });

  it('is not scaled down by another alarm that becomes OK', async () => {
    await scale({});
    await scale({ alarmName: 'fresh', state: 'OK', time: 1_790_000_000_001 });
    expect(await desired()).toBe(2);
    await scale({ state: 'OK', time: 1_790_000_000_001 });
    expect(await desired()).toBe(0);
  });

  it('leaves alone the alarms on its own metrics, which are for people', async () => {
    expect(await scale({ dimensions: { service: 'berth', cluster: 'prod' } })).toMatchObject({
      outcome: 'ignored',
      detail: expect.stringContaining('ClusterName'),
    });
    expect(await desired()).toBe(0);
  });

  it('says which pools there are when the alarm names none of several', async () => {
    await store.ensureCluster(aCluster({ pools: [aPool({ name: 'spot' })] }));
    expect(await scale({})).toMatchObject({ detail: expect.stringContaining('general, spot') });
    expect(await scale({ dimensions: { ClusterName: 'prod', PoolName: 'spot' } })).toMatchObject({
      pool: 'spot',
    });
  });
});
