import type { Cluster, Pool, Usage } from '../domain/model/pool.ts';
import type { ClusterStore } from '../ports/store.ts';
import { Expression, Update } from './expression.ts';
import { clusterKey, clusterPartition, clustersPartition } from './keys.ts';
import { poolFromItem, poolItem } from './pools.ts';
import { getItem, putItem, queryAll, type Table, updateItem } from './tableAccess.ts';

/** Attributes of a cluster's record that say whether a source is paused. */
const sourcePrefix = 'source#';
/** And those that say what it weighs. */
const weightPrefix = 'weight#';

export const getCluster =
  (table: Table): ClusterStore['getCluster'] =>
  async (cluster) => {
    const [meta, pools] = await Promise.all([getItem(table, clusterKey(cluster)), listPools(table, cluster)]);
    if (meta === undefined) return undefined;
    const pausedSources = Object.keys(meta)
      .filter((name) => name.startsWith(sourcePrefix) && (meta[name] as { paused: boolean }).paused)
      .map((name) => name.slice(sourcePrefix.length))
      .sort();
    const weights = Object.entries(meta)
      .filter(([name]) => name.startsWith(weightPrefix))
      .map(([name, weight]) => [name.slice(weightPrefix.length), Number(weight)] as const);
    return {
      name: cluster,
      cells: Number(meta.cells),
      paused: meta.paused === true,
      ...(pausedSources.length > 0 && { pausedSources }),
      ...(weights.length > 0 && { weights: Object.fromEntries(weights) }),
      ...(meta.usage !== undefined && { usage: meta.usage as Usage }),
      ...(meta.arrivalsSeenAt !== undefined && { arrivalsSeenAt: Number(meta.arrivalsSeenAt) }),
      pools,
    };
  };

async function listPools(table: Table, cluster: string): Promise<Pool[]> {
  const items = await queryAll(table, { ...sortKeysFrom(cluster, 'POOL#'), ConsistentRead: true });
  return items.map(poolFromItem);
}

/** A query of those records of a cluster whose sort key starts so. */
export function sortKeysFrom(cluster: string, prefix: string) {
  const expression = new Expression();
  const pk = expression.equals(expression.path('pk'), clusterPartition(cluster));
  const sk = `begins_with(${expression.path('sk')}, ${expression.value(prefix)})`;
  return { KeyConditionExpression: `${pk} AND ${sk}`, ...expression.attributes };
}

export const listClusters =
  (table: Table): ClusterStore['listClusters'] =>
  async () => {
    const expression = new Expression();
    const items = await queryAll(table, {
      KeyConditionExpression: expression.equals(expression.path('pk'), clustersPartition),
      ...expression.attributes,
    });
    return items.map((item) => String(item.sk));
  };

/** Reads first, so that calling it at every start costs no write. */
export const ensureCluster =
  (table: Table): ClusterStore['ensureCluster'] =>
  async (cluster) => {
    const known = await getCluster(table)(cluster.name);
    const knownPools = new Set(known?.pools.map(({ name }) => name));
    const missing = cluster.pools.filter(({ name }) => !knownPools.has(name));
    await Promise.all(
      missing.map((pool) => putIfAbsent(table, poolItem({ ...pool, cluster: cluster.name }))),
    );
    if (known !== undefined) return;
    await putIfAbsent(table, { pk: clustersPartition, sk: cluster.name, kind: 'CLUSTER_NAME' });
    await putIfAbsent(table, { ...clusterKey(cluster.name), kind: 'CLUSTER', ...metaOf(cluster) });
  };

const metaOf = ({ cells, paused }: Cluster) => ({ cells, paused });

async function putIfAbsent(table: Table, item: Record<string, unknown>): Promise<void> {
  const guard = new Expression();
  await putItem(table, item, guard, `attribute_not_exists(${guard.path('pk')})`);
}

/** Of an unknown cluster there is nothing to pause: refused. */
export const setPaused =
  (table: Table): ClusterStore['setPaused'] =>
  async (cluster, paused, atMs, source) => {
    const update = new Update();
    if (source === undefined) update.setAll({ paused, pausedAt: atMs });
    else update.set(update.path(`${sourcePrefix}${source}`), { paused, at: atMs });
    const at = source === undefined ? update.path('pausedAt') : update.path(`${sourcePrefix}${source}`, 'at');
    const known = `attribute_exists(${update.path('pk')})`;
    const latest = `(attribute_not_exists(${at}) OR ${at} <= ${update.value(atMs)})`;
    const { held } = await updateItem(table, clusterKey(cluster), update, `${known} AND ${latest}`);
    return { outcome: held ? 'applied' : 'refused' };
  };

export const setWeight =
  (table: Table): ClusterStore['setWeight'] =>
  async (cluster, source, weight) => {
    const update = new Update();
    const path = update.path(`${weightPrefix}${source}`);
    if (weight === 1) update.remove(path);
    else update.set(path, weight);
    const known = `attribute_exists(${update.path('pk')})`;
    const { held } = await updateItem(table, clusterKey(cluster), update, known);
    return { outcome: held ? 'applied' : 'refused' };
  };

export const recordUsage =
  (table: Table): ClusterStore['recordUsage'] =>
  async (cluster, fromMs, usage) => {
    const update = new Update();
    const path = update.path('usage');
    update.set(path, usage);
    const same =
      fromMs === undefined
        ? `attribute_not_exists(${path})`
        : update.equals(update.path('usage', 'at'), fromMs);
    const known = `attribute_exists(${update.path('pk')})`;
    const { held } = await updateItem(table, clusterKey(cluster), update, `${known} AND ${same}`);
    return { outcome: held ? 'applied' : 'refused' };
  };

/** A cluster's number of cells never changes once it exists, so a process asks once. */
export function cellCounts(): (table: Table, cluster: string) => Promise<number> {
  const known = new Map<string, number>();
  return async (table, cluster) => {
    const cached = known.get(cluster);
    if (cached !== undefined) return cached;
    const meta = await getItem(table, clusterKey(cluster));
    if (meta === undefined) return 1;
    const cells = Number(meta.cells);
    known.set(cluster, cells);
    return cells;
  };
}
