import { isDeepStrictEqual } from 'node:util';
import type { ClusterStore } from '../../layers/ports/store.ts';
import { REMEMBERED_GAPS } from '../../layers/store/pools.ts';
import { inner, type MemoryTables } from './memoryTables.ts';

export function clusterCommands(tables: MemoryTables): ClusterStore {
  const poolsOf = (cluster: string) =>
    [...tables.pools.values()]
      .filter((pool) => pool.cluster === cluster)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  const lastOrders = (cluster: string) =>
    [...tables.orders.values()]
      .filter((order) => order.cluster === cluster)
      .sort((a, b) => (a.pool < b.pool ? -1 : 1));
  return {
    async getCluster(cluster) {
      const meta = tables.clusters.get(cluster);
      if (meta === undefined) return undefined;
      const pausedSources = [...(meta.sources ?? [])]
        .filter(([, { paused }]) => paused)
        .map(([name]) => name);
      return {
        name: cluster,
        cells: meta.cells,
        paused: meta.paused,
        ...(pausedSources.length > 0 && { pausedSources: pausedSources.sort() }),
        ...(Object.keys(meta.weights ?? {}).length > 0 && { weights: meta.weights ?? {} }),
        ...(meta.usage !== undefined && { usage: meta.usage }),
        ...(meta.arrivalsSeenAt !== undefined && { arrivalsSeenAt: meta.arrivalsSeenAt }),
        pools: poolsOf(cluster),
      };
    },
    async listClusters() {
      return [...tables.clusters.keys()].sort();
    },
    async ensureCluster({ name, cells, paused, pools }) {
      for (const pool of pools) {
        const key = poolKey(name, pool.name);
        if (!tables.pools.has(key)) tables.pools.set(key, { ...pool, cluster: name });
      }
      if (!tables.clusters.has(name)) tables.clusters.set(name, { cells, paused });
    },
    async setWeight(cluster, source, weight) {
      const meta = tables.clusters.get(cluster);
      if (meta === undefined) return { outcome: 'refused' };
      const { [source]: _before, ...others } = meta.weights ?? {};
      const weights = weight === 1 ? others : { ...others, [source]: weight };
      tables.clusters.set(cluster, { ...meta, weights });
      return { outcome: 'applied' };
    },
    async recordUsage(cluster, fromMs, usage) {
      const meta = tables.clusters.get(cluster);
      if (meta === undefined || meta.usage?.at !== fromMs) return { outcome: 'refused' };
      tables.clusters.set(cluster, { ...meta, usage });
      return { outcome: 'applied' };
    },
    async putPool({ alarms: _alarms, idleGapsMs: _gaps, disruptedAt: _disrupted, ...settings }) {
      const key = poolKey(settings.cluster, settings.name);
      const { alarms, idleGapsMs, disruptedAt } = tables.pools.get(key) ?? {};
      tables.pools.set(key, {
        ...settings,
        ...(alarms && { alarms }),
        ...(idleGapsMs && { idleGapsMs }),
        ...(disruptedAt && { disruptedAt }),
      });
    },
    async changePool(cluster, pool, changes) {
      const key = poolKey(cluster, pool);
      const current = tables.pools.get(key);
      if (current === undefined) return { outcome: 'refused', current: undefined };
      const next = { ...current, ...changes };
      tables.pools.set(key, next);
      return { outcome: 'applied', current: next };
    },
    async setAlarmTarget(cluster, pool, { from, to }) {
      const key = poolKey(cluster, pool);
      const current = tables.pools.get(key);
      if (current?.desiredHosts !== from.desiredHosts || !isDeepStrictEqual(current.alarms, from.alarms))
        return { outcome: 'refused', current };
      const { alarms: _alarms, ...rest } = current;
      const { desiredHosts, alarms } = to;
      const next = { ...rest, desiredHosts, ...(alarms && { alarms }) };
      tables.pools.set(key, next);
      return { outcome: 'applied', current: next };
    },
    async recordDisruptions(cluster, pool, { from, to }) {
      const key = poolKey(cluster, pool);
      const current = tables.pools.get(key);
      if (current === undefined || !isDeepStrictEqual(current.disruptedAt ?? [], from)) {
        return { outcome: 'refused', current };
      }
      const next = { ...current, disruptedAt: to };
      tables.pools.set(key, next);
      return { outcome: 'applied', current: next };
    },
    async recordIdleGaps(cluster, pool, gapsMs) {
      const key = poolKey(cluster, pool);
      const current = tables.pools.get(key);
      if (current === undefined || gapsMs.length === 0) return;
      const idleGapsMs = [...(current.idleGapsMs ?? []), ...gapsMs].slice(-REMEMBERED_GAPS);
      tables.pools.set(key, { ...current, idleGapsMs });
    },
    async setPaused(cluster, paused, atMs, source) {
      const meta = tables.clusters.get(cluster);
      const last = source === undefined ? meta?.pausedAt : meta?.sources?.get(source)?.at;
      if (meta === undefined || (last ?? 0) > atMs) return { outcome: 'refused' };
      if (source !== undefined) {
        const sources = new Map(meta.sources).set(source, { paused, at: atMs });
        tables.clusters.set(cluster, { ...meta, sources });
        return { outcome: 'applied' };
      }
      tables.clusters.set(cluster, { ...meta, paused, pausedAt: atMs });
      return { outcome: 'applied' };
    },
    async openOrder(order, afterOrderId) {
      const key = poolKey(order.cluster, order.pool);
      const last = tables.orders.get(key);
      if (last?.state === 'OPEN' || last?.orderId !== afterOrderId)
        return { outcome: 'refused', current: last };
      tables.orders.set(key, order);
      tables.onOrderWritten?.(order);
      return { outcome: 'applied', current: order };
    },
    async closeOrder(cluster, pool, orderId, end) {
      const key = poolKey(cluster, pool);
      const order = tables.orders.get(key);
      if (order?.state !== 'OPEN' || order.orderId !== orderId) return { outcome: 'refused', current: order };
      const closed = { ...order, ...end };
      tables.orders.set(key, closed);
      tables.onOrderWritten?.(closed);
      return { outcome: 'applied', current: closed };
    },
    async listOpenOrders(cluster) {
      return lastOrders(cluster).filter(({ state }) => state === 'OPEN');
    },
    async listLastOrders(cluster) {
      return lastOrders(cluster);
    },
    async rememberInsufficientCapacity(cluster, what) {
      const shortages = inner(tables.shortages, cluster);
      for (const shortage of what) {
        shortages.set(`${shortage.instanceType}#${shortage.zone}#${shortage.lifecycle}`, shortage);
      }
    },
    async listInsufficientCapacity(cluster, nowMs) {
      return [...inner(tables.shortages, cluster)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, shortage]) => shortage)
        .filter(({ until }) => until > nowMs);
    },
  };
}

const poolKey = (cluster: string, pool: string): string => `${cluster}/${pool}`;
