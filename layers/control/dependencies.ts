import { judgeDependencies } from '../domain/lifecycle/dependencies.ts';
import { isTerminal, type Task } from '../domain/model/task.ts';
import type { AttemptRef, Guarded, TaskEnd } from '../ports/store.ts';
import { concurrently } from './concurrently.ts';
import type { World } from './world.ts';

export type DependencyWorld = Pick<World, 'store' | 'clock' | 'bus'>;

const SETTLED_AT_ONCE = 16;
/** As many ids as one wake is about; the queue's index shows the rest in a moment. */
const MAX_HINTS = 100;

/**
 * Ends a task and lets those go on that wait for it. The end is on record first, and whoever begins to wait writes that
 * down before reading it: one of the two always sees the other. A repeat releases again, which changes nothing.
 */
export async function endTask(world: DependencyWorld, ref: AttemptRef, end: TaskEnd): Promise<Guarded<Task>> {
  const ended = await world.store.finishTask(ref, end);
  if (ended.current) await releaseDependents(world, ended.current);
  return ended;
}

/** Lets tasks go on that wait for one that has ended. Costs nothing when none does. */
export async function releaseDependents(world: DependencyWorld, ended: Task): Promise<void> {
  if (!isTerminal(ended.state) || ended.hasDependents !== true) return;
  const ids = await world.store.listDependents(ended.taskId);
  await settleBlocked(world, await world.store.getTasks(ids));
}

/**
 * Moves blocked tasks on as far as what they wait for allows: into the queue, or to their end, which may be what others
 * wait for. Returns how many moved.
 */
export async function settleBlocked(world: DependencyWorld, tasks: readonly Task[]): Promise<number> {
  const { store, bus, clock } = world;
  const released = new Map<string, string[]>();
  let moved = 0;
  for (let round = tasks.filter(isBlocked); round.length > 0; ) {
    const wanted = round.flatMap(({ spec }) => spec.after.map(({ taskId }) => taskId));
    const byId = new Map((await store.getTasks(wanted)).map((task) => [task.taskId, task]));
    const ended: Task[] = [];
    await concurrently(round, SETTLED_AT_ONCE, async (task) => {
      const verdict = judgeDependencies(task, byId);
      if (verdict.kind === 'open') return;
      const result =
        verdict.kind === 'met'
          ? await store.unblockTask(task.taskId)
          : await store.finishTask(task, {
              state: verdict.state,
              ifState: ['BLOCKED'],
              endedAt: clock.now(),
              reason: { code: 'DEPENDENCY_FAILED', detail: verdict.detail },
            });
      if (result.outcome === 'refused') return;
      moved += 1;
      if (result.current.state !== 'PENDING') ended.push(result.current);
      else released.set(task.cluster, [...(released.get(task.cluster) ?? []), task.taskId]);
    });
    const next = await Promise.all(
      ended.filter((task) => task.hasDependents).map((task) => store.listDependents(task.taskId)),
    );
    round = (await store.getTasks(next.flat())).filter(isBlocked);
  }
  for (const [cluster, taskIds] of released) {
    await bus.wake(cluster, 'dependencies are met', {
      taskIds: taskIds.slice(0, MAX_HINTS),
      changedHosts: [],
    });
  }
  return moved;
}

const isBlocked = (task: Task): boolean => task.state === 'BLOCKED';
