import type { Cluster } from '../../domain/model/pool.ts';
import type { Task, TaskState } from '../../domain/model/task.ts';
import { listArriving } from '../arrivals.ts';
import type { World } from '../world.ts';

export interface TaskList {
  readonly tasks: readonly Task[];
  readonly more: boolean;
}

/**
 * The live tasks of a cluster: the queue, what has just arrived, and what hosts hold claims for. Ended tasks are found by id: an index of all
 * that ever ran would cost every task a write.
 */
export async function listTasks(
  world: Pick<World, 'store' | 'clock'>,
  cluster: Cluster,
  options: { readonly states?: readonly TaskState[]; readonly limit: number },
): Promise<TaskList> {
  const { store } = world;
  const wanted = new Set<TaskState>(options.states ?? ['BLOCKED', 'PENDING', 'PLACED', 'RUNNING']);
  const found = new Map<string, Task>();
  let more = false;
  if (wanted.has('PENDING')) {
    const queue = await store.listPending(cluster.name, options.limit);
    for (const task of [...queue.tasks, ...(await listArriving(world, cluster))])
      found.set(task.taskId, task);
    more = queue.more;
  }
  if (wanted.has('BLOCKED')) {
    const blocked = await store.listBlocked(cluster.name, options.limit);
    for (const task of blocked.tasks) found.set(task.taskId, task);
    more ||= blocked.more;
  }
  if (wanted.has('PLACED') || wanted.has('RUNNING')) {
    const hosts = await store.listHosts(cluster.name);
    const ids = hosts.flatMap((host) => Object.keys(host.claims));
    more ||= ids.length > options.limit;
    for (const task of await store.getTasks(ids.slice(0, options.limit))) found.set(task.taskId, task);
  }
  const tasks = [...found.values()].filter((task) => wanted.has(task.state));
  tasks.sort((a, b) => a.acceptedAt - b.acceptedAt || (a.taskId < b.taskId ? -1 : 1));
  return { tasks: tasks.slice(0, options.limit), more: more || tasks.length > options.limit };
}
