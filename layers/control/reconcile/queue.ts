import type { Cluster } from '../../domain/model/pool.ts';
import type { World } from '../world.ts';

const SAMPLE = 1_000;

/** The queue's depth and age as metrics, on which the alarm about waiting tasks stands. */
export async function reconcileQueue(world: World, cluster: Cluster): Promise<void> {
  const { tasks } = await world.store.listPending(cluster.name, SAMPLE);
  const now = world.clock.now();
  const oldest = tasks.reduce((age, task) => Math.max(age, now - task.acceptedAt), 0);
  const dimensions = { cluster: cluster.name };
  world.metrics.sample('PendingTasks', tasks.length, 'Count', dimensions);
  world.metrics.sample('OldestPendingAge', oldest / 1000, 'Seconds', dimensions);
}
