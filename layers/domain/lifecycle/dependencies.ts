import { isTerminal, type Task } from '../model/task.ts';

/** What a task's dependencies say of it: it may run, it still waits, or it never will. */
export type DependencyVerdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'open'; readonly waitsFor: readonly string[] }
  | { readonly kind: 'failed'; readonly state: 'FAILED' | 'CANCELLED'; readonly detail: string };

/**
 * An ended task never changes, so that `met` and `failed` are for ever, and judging again gives the same. A dependency
 * that is no longer on record has outlived its retention: how it ended is unknown, which is no success.
 */
export function judgeDependencies(task: Task, byId: ReadonlyMap<string, Task>): DependencyVerdict {
  const waitsFor: string[] = [];
  for (const { taskId, condition } of task.spec.after) {
    const dependency = byId.get(taskId);
    if (dependency === undefined) {
      return {
        kind: 'failed',
        state: 'FAILED',
        detail: `the task ${taskId} it waits for is no longer on record`,
      };
    }
    if (!isTerminal(dependency.state)) {
      waitsFor.push(taskId);
      continue;
    }
    if (condition === 'completion' || dependency.state === 'SUCCEEDED') continue;
    const cancelled = dependency.state === 'CANCELLED';
    return {
      kind: 'failed',
      state: cancelled ? 'CANCELLED' : 'FAILED',
      detail:
        `the task ${taskId} it waits for ${cancelled ? 'was cancelled' : 'failed'}: ${dependency.reason.detail}`.slice(
          0,
          500,
        ),
    };
  }
  return waitsFor.length === 0 ? { kind: 'met' } : { kind: 'open', waitsFor };
}
