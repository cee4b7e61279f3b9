import type { Host } from './host.ts';
import type { CapacityOrder, Cluster, InstanceType, InsufficientCapacity } from './pool.ts';
import type { Task } from './task.ts';

/** Everything one pass decides on. Possibly stale: commits are guarded, never the snapshot. */
export interface Snapshot {
  readonly cluster: Cluster;
  readonly hosts: readonly Host[];
  /** Pending tasks whose `notBefore` may lie in the future. Bounded; `morePending` says that more are queued. */
  readonly pending: readonly Task[];
  readonly morePending: boolean;
  readonly openOrders: readonly CapacityOrder[];
  readonly insufficientCapacity: readonly InsufficientCapacity[];
  /** Task ids by concurrency key: who holds the places of the keys that are queued for. */
  readonly holders?: ReadonlyMap<string, readonly string[]>;
  /** The types that any pool of this cluster allows; empty in passes that buy nothing. */
  readonly instanceTypes: readonly InstanceType[];
}
