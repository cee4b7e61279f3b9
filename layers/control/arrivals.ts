import type { Cluster } from '../domain/model/pool.ts';
import type { Task } from '../domain/model/task.ts';
import { concurrently } from './concurrently.ts';
import type { World } from './world.ts';

const QUEUED_AT_ONCE = 10;

/** Puts those of the tasks into the queue that arrived and are not there yet; returns how many that were. */
export async function queueArrived({ store }: Pick<World, 'store'>, tasks: readonly Task[]): Promise<number> {
  let queued = 0;
  const arrived = tasks.filter(({ arriving }) => arriving);
  await concurrently(arrived, QUEUED_AT_ONCE, async ({ taskId }) => {
    // Refused means that somebody has placed, queued or ended it.
    if ((await store.queueTask(taskId)).outcome === 'applied') queued += 1;
  });
  return queued;
}

/** Longer than any invocation that may still act on an arrival: `accept` has 30 s, and clocks differ by seconds. */
const GRACE_MS = 120_000;
const ARRIVALS_PER_PAGE = 200;
/** Bounds a round; what lies beyond is the next one's. */
const MAX_PAGES = 100;

/**
 * Queues what arrived a while ago and is still beside the queue: its wake was lost or given up, or its pass cut off. Every
 * arrival is looked at once. Returns how many tasks that were.
 */
export async function queueForgotten(
  world: Pick<World, 'store' | 'clock'>,
  cluster: Pick<Cluster, 'name' | 'arrivalsSeenAt'>,
): Promise<number> {
  const { store, clock } = world;
  const untilMs = clock.now() - GRACE_MS;
  let afterMs = cluster.arrivalsSeenAt ?? 0;
  let queued = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { arrivals, more } = await store.listArrivals(
      cluster.name,
      { afterMs, untilMs },
      ARRIVALS_PER_PAGE,
    );
    const last = arrivals.at(-1);
    if (last === undefined) break;
    const tasks = await store.getTasks(arrivals.flatMap(({ taskIds }) => taskIds));
    queued += await queueArrived(world, tasks);
    // Where the list was cut, others of the same millisecond may follow.
    afterMs = more ? last.at - 1 : last.at;
    await store.recordArrivalsSeen(cluster.name, afterMs);
    if (!more) break;
  }
  return queued;
}

/** An invocation's clock may be behind the one that noted an arrival. */
const SKEW_MS = 10_000;
const MAX_ARRIVALS_SHOWN = 500;

/** Tasks that arrived and that no pass has placed or queued yet: few, and not for long. For people to see; passes are woken. */
export async function listArriving(
  { store, clock }: Pick<World, 'store' | 'clock'>,
  cluster: Pick<Cluster, 'name' | 'arrivalsSeenAt'>,
): Promise<Task[]> {
  const time = { afterMs: cluster.arrivalsSeenAt ?? 0, untilMs: clock.now() + SKEW_MS };
  const { arrivals } = await store.listArrivals(cluster.name, time, MAX_ARRIVALS_SHOWN);
  const tasks = await store.getTasks(arrivals.flatMap(({ taskIds }) => taskIds));
  return tasks.filter(({ arriving }) => arriving);
}
