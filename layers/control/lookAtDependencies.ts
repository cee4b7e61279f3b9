import { type Dependency, isTerminal, type Task } from '../domain/model/task.ts';
import type { Problem } from '../events/problem.ts';
import type { TaskRequest } from '../events/taskRequested/parse.ts';
import type { Store } from '../ports/store.ts';
import { taskIdOf } from './taskId.ts';

/** Bounds what one request writes for its dependencies. */
const MAX_EDGES = 10_000;

export interface Dependencies {
  /** Whether any of the tasks has to wait, or to be told that what it needed has failed. */
  readonly waits: boolean;
  /** What the task with this ordinal waits for. */
  readonly afterOf: (ordinal: number) => readonly Dependency[];
  readonly problems: readonly Problem[];
}

const refused = (...problems: Problem[]): Dependencies => ({ waits: true, afterOf: () => [], problems });

/**
 * A dependency must be on record before whatever waits for it, and what is asked never changes afterwards: so no circle
 * can close. The request's own tasks are the one exception, when its key is used again, and are refused.
 * @throws while an array that is waited for by index is itself still being recorded: the request is to come again.
 */
export async function lookAtDependencies(
  { store }: { readonly store: Pick<Store, 'getTasks'> },
  request: TaskRequest,
  ids: readonly string[],
): Promise<Dependencies> {
  const { after } = request;
  if (after.length === 0) return { waits: false, afterOf: () => [], problems: [] };
  if (after.length * ids.length > MAX_EDGES) {
    return refused({
      field: 'after',
      rule: `A request may wait in at most ${MAX_EDGES} ways: tasks in after times count.`,
      fix: 'Wait for one task that waits for the others.',
    });
  }
  const named = await readAll(
    store,
    after.map(({ taskId }) => taskId),
  );
  const own = new Set(ids);
  const problems = after.flatMap((_, index) => problemOf(request, index, named, own) ?? []);
  if (problems.length > 0) return refused(...problems);
  const rows = after.map(({ taskId, condition, byIndex }) => {
    const { source, idempotencyKey } = named.get(taskId) as Task;
    return (ordinal: number): Dependency => ({
      taskId: byIndex ? taskIdOf(source, idempotencyKey, ordinal) : taskId,
      condition,
    });
  });
  const afterOf = (ordinal: number): Dependency[] => rows.map((row) => row(ordinal));
  const all = ids.flatMap((_, ordinal) => afterOf(ordinal));
  const members = after.some(({ byIndex }) => byIndex)
    ? await readAll(
        store,
        all.map(({ taskId }) => taskId),
      )
    : named;
  const missing = all.find(({ taskId }) => !members.has(taskId));
  if (missing !== undefined)
    throw new Error(`The array of ${missing.taskId} is still being recorded: ask again in a moment.`);
  const met = ({ taskId, condition }: Dependency): boolean => {
    const state = members.get(taskId)?.state ?? 'PENDING';
    return state === 'SUCCEEDED' || (condition === 'completion' && isTerminal(state));
  };
  return { waits: !all.every(met), afterOf, problems };
}

const readAll = async (store: Pick<Store, 'getTasks'>, ids: readonly string[]): Promise<Map<string, Task>> =>
  new Map((await store.getTasks([...new Set(ids)])).map((task) => [task.taskId, task]));

function problemOf(
  { after, array, count }: TaskRequest,
  index: number,
  named: ReadonlyMap<string, Task>,
  own: ReadonlySet<string>,
): Problem | undefined {
  const { taskId = '', byIndex = false } = after[index] ?? {};
  const field = `after[${index}].taskId`;
  if (own.has(taskId)) {
    const rule = 'A task cannot wait for itself or for another of the same request.';
    return { field, rule, fix: 'Send what is to run first as a request of its own.' };
  }
  const other = named.get(taskId);
  if (other === undefined) {
    const rule = `A task can wait only for one on record, and ${taskId} is none.`;
    return { field, rule, fix: 'Copy its id from its Task Accepted event, and send this one after it.' };
  }
  if (!byIndex) return undefined;
  const indexField = `after[${index}].byIndex`;
  if (!array) {
    const rule = 'Only the members of an array wait by index, and this request is none.';
    return { field: indexField, rule, fix: 'Set array to true, or leave byIndex out.' };
  }
  if (other.spec.array === undefined) {
    const rule = `Members wait by index for those of another array, and ${taskId} belongs to none.`;
    return { field, rule, fix: 'Name a task of an array, or leave byIndex out.' };
  }
  const { size } = other.spec.array;
  if (size === count) return undefined;
  const rule = `Arrays that wait by index have the same size: that of ${taskId} has ${size} members and this one ${count}.`;
  return { field: 'count', rule, fix: `Write ${size}, or leave byIndex out to wait for the one task.` };
}
