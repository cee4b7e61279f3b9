import type { HostState } from '../../domain/model/host.ts';
import type { AlarmOnPool } from '../../domain/model/pool.ts';
import { whyPenalised } from '../../domain/placement/penalty.ts';
import { listArriving } from '../arrivals.ts';
import type { World } from '../world.ts';

export interface ClusterStatus {
  readonly cluster: string;
  readonly paused: boolean;
  readonly pausedSources: readonly string[];
  /** Weights of sources that have not 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly pending: { readonly tasks: number; readonly more: boolean; readonly oldestSeconds: number };
  readonly hosts: readonly {
    readonly hostId: string;
    readonly pool: string;
    readonly instanceType: string;
    readonly zone: string;
    readonly lifecycle: string;
    readonly state: HostState;
    readonly reason: string;
    readonly tasks: number;
    /** What counts against it in placement; absent when nothing does. */
    readonly penalised?: string;
    readonly left: Readonly<Record<string, number>>;
    readonly capacity: Readonly<Record<string, number>>;
  }[];
  readonly pools: readonly {
    readonly pool: string;
    readonly hosts: number;
    readonly desiredHosts: number;
    readonly minHosts: number;
    readonly maxHosts: number;
    readonly usdPerHour: number;
    /** Why the target is what it is: what each alarm last said, and the hosts that it holds. */
    readonly alarms: Readonly<Record<string, AlarmOnPool>>;
  }[];
  readonly openOrders: number;
}

export async function clusterStatus(
  world: Pick<World, 'store' | 'clock'>,
  name: string,
): Promise<ClusterStatus | undefined> {
  const { store, clock } = world;
  const cluster = await store.getCluster(name);
  if (!cluster) return undefined;
  const [hosts, pending, arriving, orders] = await Promise.all([
    store.listHosts(name),
    store.listPending(name, 1_000),
    listArriving(world, cluster),
    store.listOpenOrders(name),
  ]);
  const now = clock.now();
  const tasks = [...pending.tasks, ...arriving];
  const oldestMs = tasks.reduce((age, task) => Math.max(age, now - task.acceptedAt), 0);
  return {
    cluster: name,
    paused: cluster.paused,
    pausedSources: cluster.pausedSources ?? [],
    weights: cluster.weights ?? {},
    pending: { tasks: tasks.length, more: pending.more, oldestSeconds: Math.round(oldestMs / 1000) },
    hosts: hosts.map((host) => {
      const penalised = whyPenalised(host, now);
      return {
        hostId: host.hostId,
        pool: host.pool,
        instanceType: host.instanceType,
        zone: host.zone,
        lifecycle: host.lifecycle,
        state: host.state,
        reason: host.stateReason,
        tasks: Object.keys(host.claims).length,
        left: host.left,
        capacity: host.capacity,
        ...(penalised !== undefined && { penalised }),
      };
    }),
    pools: cluster.pools.map((pool) => {
      const own = hosts.filter((host) => host.pool === pool.name);
      return {
        pool: pool.name,
        hosts: own.length,
        desiredHosts: pool.desiredHosts,
        minHosts: pool.minHosts,
        maxHosts: pool.maxHosts,
        usdPerHour: own.reduce((sum, host) => sum + host.usdPerHour, 0),
        alarms: pool.alarms ?? {},
      };
    }),
    openOrders: orders.length,
  };
}
