import { isTerminal } from '../../domain/model/task.ts';
import type { ObservedTask } from '../../ports/containers.ts';
import type { World } from '../world.ts';
import type { Repairs } from './repairs.ts';

/** Stops what runs in ECS under Berth's name although its task has ended or moved on to another attempt. */
export async function stopStrays(
  world: World,
  ecsTasks: readonly ObservedTask[],
  repairs: Repairs,
): Promise<void> {
  const live = ecsTasks.filter(
    (seen) => seen.ref && seen.lastStatus !== 'STOPPED' && seen.desiredStatus !== 'STOPPED',
  );
  const tasks = new Map(
    (await world.store.getTasks(live.flatMap((seen) => seen.ref?.taskId ?? []))).map((task) => [
      task.taskId,
      task,
    ]),
  );
  for (const seen of live) {
    const task = tasks.get(seen.ref?.taskId ?? '');
    if (!task || task.cluster !== seen.cluster) continue;
    if (task.attempt === seen.ref?.attempt && !isTerminal(task.state) && task.state !== 'PENDING') continue;
    if (task.attempt < (seen.ref?.attempt ?? 0)) continue;
    await world.containers.stop(seen.cluster, seen.ecsTaskArn, 'Berth: superseded attempt');
    repairs.straysStopped += 1;
    world.log.warn('An attempt ran that its task had left behind', { ref: seen.ref, state: task.state });
  }
}
