import { describe, expect, it } from 'vitest';
import { aBought, aCluster, anOrder, aPool } from '../../support/records.ts';
import type { StoreWorld } from './world.ts';

export function clustersContract(world: StoreWorld): void {
  describe('clusters', () => {
    it('makes a cluster and its pools once, and adds pools that are new', async () => {
      await world.store.ensureCluster(
        aCluster({ cells: 9, pools: [aPool({ maxHosts: 99 }), aPool({ name: 'spot' })] }),
      );
      const cluster = aCluster({ cells: 3, pools: [aPool(), aPool({ name: 'spot' })] });
      expect(await world.store.getCluster('prod')).toEqual(cluster);
      await world.store.ensureCluster(aCluster({ name: 'test', pools: [] }));
      expect(await world.store.listClusters()).toEqual(['prod', 'test']);
      expect(await world.store.getCluster('nowhere')).toBeUndefined();
    });

    it('pauses, and changes pools', async () => {
      expect(await world.store.setPaused('prod', true, 5)).toEqual({ outcome: 'applied' });
      expect(await world.store.setPaused('prod', false, 4)).toEqual({ outcome: 'refused' });
      expect(await world.store.setPaused('nowhere', true, 5)).toEqual({ outcome: 'refused' });
      await world.store.putPool(aPool({ maxHosts: 3 }));
      expect(await world.store.getCluster('prod')).toEqual(
        aCluster({ cells: 3, paused: true, pools: [aPool({ maxHosts: 3 })] }),
      );
      expect(await world.store.getCluster('nowhere')).toBeUndefined();
    });

    it('weighs sources, and brings usage forward once from what is on record', async () => {
      const { store } = world;
      expect(await store.setWeight('prod', 'shop', 2)).toEqual({ outcome: 'applied' });
      expect(await store.setWeight('prod', 'reports.daily', 0.5)).toEqual({ outcome: 'applied' });
      expect(await store.setWeight('nowhere', 'shop', 2)).toEqual({ outcome: 'refused' });
      const usage = { at: 5, bySource: { a1b2: 0.25 } };
      expect(await store.recordUsage('prod', 4, usage)).toEqual({ outcome: 'refused' });
      expect(await store.recordUsage('nowhere', undefined, usage)).toEqual({ outcome: 'refused' });
      expect(await store.recordUsage('prod', undefined, usage)).toEqual({ outcome: 'applied' });
      expect(await store.recordUsage('prod', undefined, usage)).toEqual({ outcome: 'refused' });
      const later = { at: 9, bySource: {} };
      expect(await store.recordUsage('prod', 5, later)).toEqual({ outcome: 'applied' });
      const weighed = { cells: 3, usage: later };
      expect(await store.getCluster('prod')).toMatchObject({
        ...weighed,
        weights: { shop: 2, 'reports.daily': 0.5 },
      });
      await store.setWeight('prod', 'shop', 1);
      await store.setWeight('prod', 'reports.daily', 1);
      expect(await store.getCluster('prod')).toEqual(aCluster({ ...weighed, pools: [aPool()] }));
    });

    it('sets the target of alarms only from what is on record, and a pool put anew keeps what alarms have said', async () => {
      const from = { desiredHosts: 0 };
      const to = { desiredHosts: 1, alarms: { load: { state: 'ALARM', at: 5, hosts: 1 } } } as const;
      const grown = aPool(to);
      const set = (change: Parameters<typeof world.store.setAlarmTarget>[2], pool = 'general') =>
        world.store.setAlarmTarget('prod', pool, change);
      expect(await set({ from, to })).toEqual({ outcome: 'applied', current: grown });
      expect(await world.store.getCluster('prod')).toMatchObject({ pools: [grown] });
      expect(await set({ from, to })).toEqual({ outcome: 'refused', current: grown });
      const sameNumber = { from: { desiredHosts: 1 }, to: { desiredHosts: 2 } };
      expect(await set(sameNumber)).toEqual({ outcome: 'refused', current: grown });
      const end = { desiredHosts: 0, alarms: { load: { state: 'OK', at: 6, hosts: 0 } } } as const;
      expect(await set({ from: to, to: end })).toEqual({ outcome: 'applied', current: aPool(end) });
      await world.store.putPool(aPool({ maxHosts: 7 }));
      expect(await world.store.getCluster('prod')).toMatchObject({
        pools: [aPool({ maxHosts: 7, alarms: end.alarms })],
      });
      expect(await set({ from: end, to: from })).toEqual({
        outcome: 'applied',
        current: aPool({ maxHosts: 7 }),
      });
      expect(await set({ from, to }, 'nowhere')).toEqual({ outcome: 'refused', current: undefined });
    });

    it('changes only what is named of a pool', async () => {
      const changed = aPool({ maxHosts: 3, minimums: [{ fromMinute: 0, toMinute: 60, hosts: 1 }] });
      const { maxHosts, minimums = [] } = changed;
      expect(await world.store.changePool('prod', 'general', { maxHosts, minimums })).toEqual({
        outcome: 'applied',
        current: changed,
      });
      expect((await world.store.getCluster('prod'))?.pools).toEqual([changed]);
      expect((await world.store.changePool('prod', 'nowhere', { maxHosts })).outcome).toBe('refused');
    });

    it('lets one of two that read the same budget spend it', async () => {
      const spend = (from: number[], to: number[]) =>
        world.store.recordDisruptions('prod', 'general', { from, to });
      const first = aPool({ disruptedAt: [5] });
      expect(await spend([], [5])).toEqual({ outcome: 'applied', current: first });
      expect(await spend([], [6])).toEqual({ outcome: 'refused', current: first });
      expect((await spend([5], [5, 6])).outcome).toBe('applied');
      expect((await world.store.getCluster('prod'))?.pools[0]?.disruptedAt).toEqual([5, 6]);
      expect(await world.store.recordDisruptions('prod', 'nowhere', { from: [], to: [1] })).toEqual({
        outcome: 'refused',
        current: undefined,
      });
    });

    it('remembers the latest gaps between a host’s uses', async () => {
      await world.store.recordIdleGaps('prod', 'general', [1, 2]);
      await world.store.recordIdleGaps('prod', 'general', Array(63).fill(3));
      await world.store.recordIdleGaps('prod', 'general', []);
      await world.store.recordIdleGaps('prod', 'nowhere', [1]);
      const remembered = { idleGapsMs: [2, ...Array(63).fill(3)] };
      expect((await world.store.getCluster('prod'))?.pools[0]).toEqual(aPool(remembered));
      await world.store.putPool(aPool({ maxHosts: 7, hostUsdPerHour: 0.01 }));
      await world.store.putPool(aPool({ maxHosts: 8 }));
      expect((await world.store.getCluster('prod'))?.pools[0]).toEqual(aPool({ maxHosts: 8, ...remembered }));
    });

    it('keeps one open order per pool', async () => {
      const order = anOrder();
      expect(await world.store.openOrder(order, undefined)).toEqual({ outcome: 'applied', current: order });
      expect(await world.store.openOrder(anOrder({ orderId: 'order2' }), 'order1')).toEqual({
        outcome: 'refused',
        current: order,
      });
      const other = anOrder({ orderId: 'order3', pool: 'spot' });
      expect((await world.store.openOrder(other, undefined)).outcome).toBe('applied');
      expect(await world.store.listOpenOrders('prod')).toEqual([order, other]);
      const end = { state: 'DONE', bought: [aBought()], errors: [] } as const;
      expect((await world.store.closeOrder('prod', 'general', 'order2', end)).outcome).toBe('refused');
      expect(await world.store.closeOrder('prod', 'general', 'order1', end)).toEqual({
        outcome: 'applied',
        current: { ...order, ...end },
      });
      expect((await world.store.closeOrder('prod', 'general', 'order1', end)).outcome).toBe('refused');
      const next = anOrder({ orderId: 'order2' });
      const stale = await world.store.openOrder(next, undefined);
      expect(stale).toEqual({ outcome: 'refused', current: { ...order, ...end } });
      expect((await world.store.openOrder(next, 'order1')).outcome).toBe('applied');
      expect(await world.store.listLastOrders('prod')).toEqual([next, other]);
    });

    it('remembers what EC2 had none of until it may have some', async () => {
      const shortage = {
        instanceType: 'c6i.large',
        zone: 'us-east-1a',
        lifecycle: 'spot',
        until: 100,
        code: 'InsufficientInstanceCapacity',
      } as const;
      const onDemand = { ...shortage, lifecycle: 'on-demand', until: 300 } as const;
      await world.store.rememberInsufficientCapacity('prod', [shortage, onDemand]);
      await world.store.rememberInsufficientCapacity('prod', [{ ...shortage, until: 200 }]);
      expect(await world.store.listInsufficientCapacity('prod', 199)).toEqual([
        onDemand,
        { ...shortage, until: 200 },
      ]);
      expect(await world.store.listInsufficientCapacity('prod', 200)).toEqual([onDemand]);
      expect(await world.store.listInsufficientCapacity('nowhere', 0)).toEqual([]);
    });
  });
}
