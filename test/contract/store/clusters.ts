import { describe, expect, it } from 'vitest';
import { aCluster, anOrder, aPool } from '../../support/records.ts';
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

    it('applies a change of desired hosts once, even when the number comes round again', async () => {
      const up = { from: 0, to: 1, changeId: 'alarm-1' };
      const grown = aPool({ desiredHosts: 1 });
      expect(await world.store.setDesiredHosts('prod', 'general', up)).toEqual({
        outcome: 'applied',
        current: grown,
      });
      expect(await world.store.setDesiredHosts('prod', 'general', up)).toEqual({
        outcome: 'applied',
        current: grown,
      });
      const stale = { ...up, changeId: 'alarm-2' };
      expect(await world.store.setDesiredHosts('prod', 'general', stale)).toEqual({
        outcome: 'refused',
        current: grown,
      });
      await world.store.setDesiredHosts('prod', 'general', { from: 1, to: 0, changeId: 'ok-1' });
      await world.store.putPool(aPool());
      expect(await world.store.setDesiredHosts('prod', 'general', up)).toEqual({
        outcome: 'applied',
        current: aPool(),
      });
      expect((await world.store.setDesiredHosts('prod', 'nowhere', up)).outcome).toBe('refused');
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
      const end = { state: 'DONE', hostIds: ['i-1'], errors: [] } as const;
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
