import type { Cluster } from '../../domain/model/pool.ts';
import { settleBlocked } from '../dependencies.ts';
import type { World } from '../world.ts';
import type { Repairs } from './repairs.ts';

/** Bounds a round; the oldest come first, and what lies beyond is released by the ends it waits for all the same. */
const MAX_BLOCKED = 5_000;

/** Releases tasks whose dependencies have ended while whoever recorded that was cut off. */
export async function reconcileBlocked(world: World, cluster: Cluster, repairs: Repairs): Promise<void> {
  const { tasks, more } = await world.store.listBlocked(cluster.name, MAX_BLOCKED);
  if (tasks.length === 0) return;
  // The index may be behind; what has moved on refuses.
  repairs.dependentsReleased += await settleBlocked(world, tasks);
  if (more) world.log.warn('More tasks wait for others than one round looks at', { cluster: cluster.name });
}
