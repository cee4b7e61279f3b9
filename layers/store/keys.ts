import type { Arrival } from '../domain/model/arrival.ts';
import type { Lifecycle } from '../domain/model/host.ts';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export const taskKey = (taskId: string): Key => ({ pk: `TASK#${taskId}`, sk: 'TASK' });

/** FNV-1a, 32 bits: spreads ids over cells the same way in every process, for ever. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

export const cellOf = (id: string, cells: number): number => hash32(id) % Math.max(1, cells);

export const cellPartition = (cluster: string, cell: number): string => `CELL#${cluster}#${cell}`;

/** What changes with every claim. */
export const hostKey = (cluster: string, cell: number, hostId: string): Key => ({
  pk: cellPartition(cluster, cell),
  sk: `HOST#${hostId}`,
});

/** What hardly ever changes; sorts directly behind its host. */
export const hostInfoKey = (cluster: string, cell: number, hostId: string): Key => ({
  pk: cellPartition(cluster, cell),
  sk: `HOST#${hostId}#INFO`,
});

/** Written by the host's own agent, which may write nothing else. */
export const reportKey = (instanceArn: string): Key => ({ pk: instanceArn, sk: 'REPORT' });

/** One partition of a cluster's queue in the index; there are as many as the cluster has cells. */
export const queuePartition = (cluster: string, shard: number): string => `${cluster}#PENDING#${shard}`;

/** What arrived at a cluster, by time; in as many partitions as the cluster has cells. */
export const arrivalPartition = (cluster: string, shard: number): string => `ARRIVALS#${cluster}#${shard}`;

const timeKey = (ms: number): string => String(ms).padStart(15, '0');

/** Behind every arrival before `ms`, and ahead of those from then on. */
export const arrivalsFrom = timeKey;

/** By time; two batches of one millisecond differ in what they brought. */
export const arrivalOrder = ({ at, taskIds }: Pick<Arrival, 'at' | 'taskIds'>): string =>
  `${timeKey(at)}#${hash32(taskIds.join()).toString(36)}#${taskIds[0]}`;

export const arrivalKey = (arrival: Arrival, cells: number): Key => ({
  pk: arrivalPartition(arrival.cluster, cellOf(String(arrival.taskIds[0]), cells)),
  sk: arrivalOrder(arrival),
});

/** Where tasks are found that wait for others, beside the queue. */
export const blockedPartition = (cluster: string, shard: number): string => `${cluster}#BLOCKED#${shard}`;

/** One for each task that waits for another, beside the one it waits for. */
export const dependentPrefix = 'DEPENDENT#';
export const dependentKey = (dependencyId: string, dependentId: string): Key => ({
  pk: taskKey(dependencyId).pk,
  sk: `${dependentPrefix}${dependentId}`,
});

const LOWEST_FIRST_PRIORITY = 1000;

/** Sorts a queue by priority descending, then age, then id. */
export const queueOrder = (task: {
  readonly spec: { readonly priority: number };
  readonly acceptedAt: number;
  readonly taskId: string;
}): string =>
  [
    String(LOWEST_FIRST_PRIORITY - task.spec.priority).padStart(4, '0'),
    timeKey(task.acceptedAt),
    task.taskId,
  ].join('#');

/** Who holds the places of a concurrency key; a partition of its own, as every claim under the key writes it. */
export const seatsKey = (cluster: string, key: string): Key => ({ pk: `CAP#${cluster}#${key}`, sk: 'SEATS' });

export const arrayKey = (arrayId: string): Key => ({ pk: `ARRAY#${arrayId}`, sk: 'META' });
export const arrayPartKey = (arrayId: string, part: number): Key => ({
  pk: `ARRAY#${arrayId}`,
  sk: `PART#${String(part).padStart(3, '0')}`,
});

export const clustersPartition = 'CLUSTERS';
export const clusterPartition = (cluster: string): string => `CLUSTER#${cluster}`;
export const clusterKey = (cluster: string): Key => ({ pk: clusterPartition(cluster), sk: 'META' });
export const poolKey = (cluster: string, pool: string): Key => ({
  pk: clusterPartition(cluster),
  sk: `POOL#${pool}`,
});
/** One per pool, so that the key itself keeps a second order of the pool from opening. */
export const orderKey = (cluster: string, pool: string): Key => ({
  pk: clusterPartition(cluster),
  sk: `ORDER#${pool}`,
});
export const insufficientCapacityKey = (
  cluster: string,
  instanceType: string,
  zone: string,
  lifecycle: Lifecycle,
): Key => ({ pk: clusterPartition(cluster), sk: `ICE#${instanceType}#${zone}#${lifecycle}` });
