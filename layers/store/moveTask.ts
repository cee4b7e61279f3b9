import type { Task, TaskState } from '../domain/model/task.ts';
import type { AttemptRef, Guarded } from '../ports/store.ts';
import { Update } from './expression.ts';
import { taskKey } from './keys.ts';
import { type Table, updateItem } from './tableAccess.ts';
import { taskFromItem } from './taskItem.ts';

export const liveStates: readonly TaskState[] = ['BLOCKED', 'PENDING', 'PLACED', 'RUNNING'];

/** One guarded step of one task: `change` fills the update and returns its condition. */
export async function moveTask(
  table: Table,
  taskId: string,
  change: (update: Update) => string,
): Promise<Guarded<Task>> {
  const update = new Update();
  const condition = change(update);
  const { held, item } = await updateItem(table, taskKey(taskId), update, condition);
  if (held) return { outcome: 'applied', current: taskFromItem(item) };
  return { outcome: 'refused', current: item && taskFromItem(item) };
}

/** The condition of nearly every step: this attempt, in one of these states. */
export function attemptIn(update: Update, ref: AttemptRef, states: readonly TaskState[]): string {
  return [
    update.equals(update.path('attempt'), ref.attempt),
    update.oneOf(update.path('state'), states),
  ].join(' AND ');
}

/** Puts the task into the queue's index. */
export const joinQueue = (update: Update): void => update.assign(update.path('gsiPk'), update.path('queue'));

/** Takes the task out of the queue's index. */
export const leaveQueue = (update: Update): void => update.remove(update.path('gsiPk'));

/** The same condition, read off a record that refused a step for another part of its guard. */
export const isAttemptIn = (
  task: Task | undefined,
  ref: AttemptRef,
  states: readonly TaskState[],
): task is Task => task !== undefined && task.attempt === ref.attempt && states.includes(task.state);
