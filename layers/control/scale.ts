import type { Pool } from '../domain/model/pool.ts';
import type { AlarmChange } from '../events/cloudwatchAlarm/change.ts';
import { clusterTarget } from './announce.ts';
import type { World } from './world.ts';

export type ScaleWorld = Pick<World, 'store' | 'bus' | 'log' | 'metrics'>;

export type ScaleOutcome =
  | {
      readonly outcome: 'scaled';
      readonly cluster: string;
      readonly pool: string;
      readonly from: number;
      readonly to: number;
    }
  | { readonly outcome: 'ignored'; readonly detail: string };

const CLUSTER_DIMENSIONS = ['ClusterName', 'Cluster', 'cluster'];
const POOL_DIMENSIONS = ['PoolName', 'Pool', 'pool'];

const firstOf = (dimensions: AlarmChange['dimensions'], names: readonly string[]): string | undefined => {
  for (const name of names) if (dimensions[name] !== undefined) return dimensions[name];
  return undefined;
};

const MAX_TRIES = 5;

/**
 * ALARM adds the pool's `alarmStep` hosts to its target, OK takes them away again, both within the pool's bounds. The
 * alarm's own dimensions choose the pool; a cluster with a single pool needs only the cluster.
 */
export async function scaleByAlarm(world: ScaleWorld, change: AlarmChange): Promise<ScaleOutcome> {
  const { store, bus, log, metrics } = world;
  if (change.state === 'INSUFFICIENT_DATA')
    return { outcome: 'ignored', detail: 'INSUFFICIENT_DATA changes no target' };
  const ignored = (detail: string): ScaleOutcome => {
    log.warn('An alarm names no pool', { alarm: change.alarmName, dimensions: change.dimensions, detail });
    metrics.count('AlarmsIgnored');
    return { outcome: 'ignored', detail };
  };
  const clusterName = firstOf(change.dimensions, CLUSTER_DIMENSIONS);
  if (clusterName === undefined) {
    return ignored(
      `the alarm's metric has no dimension ${CLUSTER_DIMENSIONS[0]}: add it with the cluster's name`,
    );
  }
  const poolName = firstOf(change.dimensions, POOL_DIMENSIONS);
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const cluster = await store.getCluster(clusterName);
    if (!cluster) return ignored(`there is no cluster ${clusterName}`);
    const pool =
      poolName === undefined ? only(cluster.pools) : cluster.pools.find(({ name }) => name === poolName);
    if (!pool) {
      const known = cluster.pools.map(({ name }) => name).join(', ');
      return ignored(
        `dimension ${POOL_DIMENSIONS[0]} has to name one of the pools of ${clusterName}: ${known}`,
      );
    }
    const step = change.state === 'ALARM' ? pool.alarmStep : -pool.alarmStep;
    const from = pool.desiredHosts;
    const to = Math.min(pool.maxHosts, Math.max(pool.minHosts, from + step));
    const changed = await store.setDesiredHosts(clusterName, pool.name, {
      from,
      to,
      changeId: change.changeId,
    });
    if (changed.outcome === 'refused') continue;
    if (from !== to) {
      await bus.publish([
        clusterTarget(clusterName, pool.name, from, to, `alarm ${change.alarmName} is ${change.state}`),
      ]);
    }
    await bus.provision(clusterName, `alarm ${change.alarmName} is ${change.state}`);
    await bus.wake(clusterName, `alarm ${change.alarmName} is ${change.state}`);
    return { outcome: 'scaled', cluster: clusterName, pool: pool.name, from, to };
  }
  throw new Error(
    `The target of ${clusterName}/${poolName ?? 'its pool'} changed ${MAX_TRIES} times while it was being set`,
  );
}

const only = (pools: readonly Pool[]): Pool | undefined => (pools.length === 1 ? pools[0] : undefined);
