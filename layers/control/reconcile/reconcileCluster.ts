import type { Cluster } from '../../domain/model/pool.ts';
import type { ObservedTask } from '../../ports/containers.ts';
import { queueForgotten } from '../arrivals.ts';
import type { World } from '../world.ts';
import { reconcileBlocked } from './blocked.ts';
import { reconcileClaims } from './claims.ts';
import { consolidate } from './consolidate.ts';
import { reconcileHosts } from './hosts.ts';
import { reconcileQueue } from './queue.ts';
import { noRepairs, type Repairs } from './repairs.ts';
import { stopStrays } from './strays.ts';

/**
 * Compares the record of a cluster with ECS and EC2 and repairs what an event missed. Reads of ECS and EC2 may be
 * minutes old, so that absence alone counts only after `ABSENCE_PROOF_MS`.
 */
export async function reconcileCluster(world: World, cluster: Cluster): Promise<Repairs> {
  const { store, containers, machines, bus, metrics, log } = world;
  const repairs = noRepairs();
  const readAt = world.clock.now();
  // EC2 and ECS are read before the record: what they do not know yet was recorded later and is young.
  const [instances, ecsHosts, ecsTasks] = await Promise.all([
    machines.list(cluster.name),
    containers.listHosts(cluster.name),
    containers.listTasks(cluster.name),
  ]);
  const hosts = await store.listHosts(cluster.name);
  await reconcileHosts(world, cluster, { hosts, instances, ecsHosts, readAt }, repairs);
  const observed = new Map<string, ObservedTask>();
  for (const task of ecsTasks) {
    if (task.ref) observed.set(`${task.ref.taskId}:${task.ref.attempt}`, task);
  }
  const relaunch = await reconcileClaims(world, await store.listHosts(cluster.name), observed, repairs);
  await stopStrays(world, ecsTasks, repairs);
  await reconcileBlocked(world, cluster, repairs);
  repairs.tasksQueued += await queueForgotten(world, cluster);
  await reconcileQueue(world, cluster);
  await consolidate(world, cluster);

  const openOrders = await store.listOpenOrders(cluster.name);
  const current = await store.listHosts(cluster.name);
  if (openOrders.length > 0 || current.some((host) => host.state === 'TERMINATING')) {
    await bus.provision(cluster.name, 'reconcile: open orders or retired hosts');
  }
  await bus.wake(cluster.name, 'reconcile', { taskIds: relaunch.slice(0, 100) });
  for (const [repair, count] of Object.entries(repairs)) {
    if (count > 0) metrics.count('Repairs', count, { cluster: cluster.name, repair });
  }
  if (Object.values(repairs).some((count) => count > 0)) {
    log.warn('Reconcile repaired what events had missed', { cluster: cluster.name, ...repairs });
  }
  return repairs;
}
