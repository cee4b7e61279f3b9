import { alarmTarget } from '../domain/capacity/alarmTarget.ts';
import type { Pool } from '../domain/model/pool.ts';
import type { AlarmChange } from '../events/cloudwatchAlarm/change.ts';
import type { World } from './world.ts';

export type ScaleWorld = Pick<World, 'store' | 'log' | 'metrics' | 'bus'>;

export type ScaleOutcome =
  | {
      /** `known`: this change, or a later one of the same alarm, had counted already. */
      readonly outcome: 'scaled' | 'known';
      readonly cluster: string;
      readonly pool: string;
      readonly from: number;
      readonly to: number;
    }
  | { readonly outcome: 'ignored'; readonly detail: string };

// Berth's own metrics name theirs in lower case: alarms on those are for people, and scale nothing.
const CLUSTER_DIMENSIONS = ['ClusterName', 'Cluster'];
const POOL_DIMENSIONS = ['PoolName', 'Pool'];

const firstOf = (dimensions: AlarmChange['dimensions'], names: readonly string[]): string | undefined => {
  for (const name of names) if (dimensions[name] !== undefined) return dimensions[name];
  return undefined;
};

const MAX_TRIES = 5;

/**
 * ALARM adds the pool's `alarmStep` hosts to its target, OK takes away what its alarm had added (`alarmTarget`). The
 * alarm's own dimensions choose the pool; a cluster with a single pool needs only the cluster. The new target is
 * announced from the table's stream.
 */
export async function scaleByAlarm(world: ScaleWorld, change: AlarmChange): Promise<ScaleOutcome> {
  const { store, bus, log, metrics } = world;
  const { state } = change;
  if (state === 'INSUFFICIENT_DATA')
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
    const { alarmName, time: at } = change;
    const to = alarmTarget(pool, { alarmName, state, at });
    if (to !== undefined) {
      const changed = await store.setAlarmTarget(clusterName, pool.name, { from: pool, to });
      if (changed.outcome === 'refused') continue;
    }
    // Also when the change is on record already: whoever recorded it may have died before it told anybody.
    await bus.provision(clusterName, `alarm ${alarmName} is ${state}`);
    await bus.wake(clusterName, `alarm ${alarmName} is ${state}`);
    const scaled = { cluster: clusterName, pool: pool.name, to: (to ?? pool).desiredHosts };
    return { outcome: to === undefined ? 'known' : 'scaled', from: pool.desiredHosts, ...scaled };
  }
  throw new Error(
    `The target of ${clusterName}/${poolName ?? 'its pool'} changed ${MAX_TRIES} times while it was being set`,
  );
}

const only = (pools: readonly Pool[]): Pool | undefined => (pools.length === 1 ? pools[0] : undefined);
