import type { Host } from '../domain/model/host.ts';
import type { Cluster } from '../domain/model/pool.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import type { Task } from '../domain/model/task.ts';
import { withOvercommit } from '../domain/placement/overcommit.ts';
import { readSeats, type Seats } from './seats.ts';
import type { World } from './world.ts';

/** Bounds a pass: what lies beyond is taken by the next one. */
export const MAX_PENDING_PER_PASS = 2_000;
/** Read when some of the queue is paused: what is paused must not hide what is not. */
const MAX_PENDING_READ = 10_000;
/** Hinted tasks come on top of the queue's head. */
const MAX_READY = MAX_PENDING_PER_PASS + 2_000;

export interface Loaded {
  readonly snapshot: Snapshot;
  /** The tasks a wake was about, as they are now, whatever their state. */
  readonly hinted: readonly Task[];
  /** Seats of concurrency keys whose attempts are over. */
  readonly emptySeats: Seats['empty'];
}

/**
 * What one pass decides on. The queue's index lags behind the table, so that the ids which a wake carries are read
 * directly and win over what the index says of them.
 */
export async function loadSnapshot(
  world: Pick<World, 'store' | 'clock'>,
  cluster: Cluster,
  taskIds: readonly string[],
  readHosts: () => Promise<readonly Host[]> = () => world.store.listHosts(cluster.name),
): Promise<Loaded> {
  const { store } = world;
  const paused = new Set(cluster.pausedSources);
  const [hinted, queue, hosts, openOrders, insufficientCapacity] = await Promise.all([
    store.getTasks([...new Set(taskIds)]),
    store.listPending(cluster.name, paused.size > 0 ? MAX_PENDING_READ : MAX_PENDING_PER_PASS),
    readHosts(),
    store.listOpenOrders(cluster.name),
    store.listInsufficientCapacity(cluster.name, world.clock.now()),
  ]);
  const pending = new Map(queue.tasks.map((task) => [task.taskId, task]));
  for (const task of hinted) {
    if (task.state === 'PENDING' && task.cluster === cluster.name) pending.set(task.taskId, task);
    else pending.delete(task.taskId);
  }
  const ready = [...pending.values()].filter(({ source }) => !paused.has(source));
  const taken = ready.length > MAX_READY ? ready.slice(0, MAX_PENDING_PER_PASS) : ready;
  const seats = await readSeats(store, cluster.name, taken);
  return {
    emptySeats: seats.empty,
    hinted: hinted.filter((task) => task.cluster === cluster.name),
    snapshot: {
      cluster,
      hosts: withOvercommit(hosts, cluster.pools, world.clock.now()),
      pending: taken,
      ...(seats.holders.size > 0 && { holders: seats.holders }),
      morePending: queue.more || ready.length > MAX_READY,
      openOrders,
      insufficientCapacity,
      instanceTypes: [],
    },
  };
}
