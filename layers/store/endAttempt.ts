import { weakerStops } from '../domain/model/task.ts';
import type { TaskStore } from '../ports/store.ts';
import { attemptIn, isAttemptIn, joinQueue, leaveQueue, liveStates, moveTask } from './moveTask.ts';
import { getTask } from './readTasks.ts';
import type { Table } from './tableAccess.ts';

export const finishTask =
  (table: Table): TaskStore['finishTask'] =>
  async (ref, end) => {
    const { ifState, ...fields } = end;
    const states = liveStates.filter((state) => ifState === undefined || ifState.includes(state));
    // A condition cannot hold an empty list of states, which nothing meets anyway.
    if (states.length === 0) return { outcome: 'refused', current: await getTask(table)(ref.taskId) };
    return moveTask(table, ref.taskId, (update) => {
      update.setAll({ ...fields });
      leaveQueue(update);
      return attemptIn(update, ref, states);
    });
  };

/** What an attempt leaves behind and the next one starts without. */
const attemptFields = [
  'hostId',
  'placedAt',
  'cpuOvercommit',
  'ecsTaskArn',
  'ecsVersion',
  'startedAt',
  'endedAt',
  'exitCode',
] as const;

/**
 * A preemption's or a timeout's stop request ends with the attempt it was for; a cancellation stays on the record, so
 * that a task cancelled while its attempt was failing is not run again.
 */
export const requeueTask =
  (table: Table): TaskStore['requeueTask'] =>
  async (ref, next) => {
    const requeue = (stopped: boolean) =>
      moveTask(table, ref.taskId, (update) => {
        update.setAll({ state: 'PENDING', reason: next.reason, notBefore: next.notBefore });
        if (next.notBefore === undefined) update.remove(update.path('notBefore'));
        update.remove(...attemptFields.map((field) => update.path(field)));
        update.increment('attempt');
        if (next.counted) update.increment('attemptsUsed');
        if (next.startsFailed !== undefined) update.set(update.path('startsFailed'), next.startsFailed);
        joinQueue(update);
        const [stop, code] = [update.path('stopRequested'), update.path('stopRequested', 'code')];
        if (!stopped) update.remove(stop);
        const guard = stopped
          ? update.equals(code, 'CANCELLED')
          : `(attribute_not_exists(${stop}) OR ${update.oneOf(code, weakerStops.CANCELLED)})`;
        return `${attemptIn(update, ref, ['PLACED', 'RUNNING'])} AND ${guard}`;
      });
    const queued = await requeue(false);
    const stopped = queued.outcome === 'refused' && isAttemptIn(queued.current, ref, ['PLACED', 'RUNNING']);
    return stopped ? requeue(true) : queued;
  };

/** A preemption may be overtaken by a timeout, and both by a cancellation, which ends the task; nothing else replaces a request. */
export const requestStop =
  (table: Table): TaskStore['requestStop'] =>
  (taskId, stop, ifAttempt) =>
    moveTask(table, taskId, (update) => {
      const requested = update.path('stopRequested');
      update.set(requested, stop);
      const none = `attribute_not_exists(${requested})`;
      const weaker = weakerStops[stop.code];
      const free =
        weaker.length === 0
          ? none
          : `(${none} OR ${update.oneOf(update.path('stopRequested', 'code'), weaker)})`;
      const live =
        ifAttempt === undefined
          ? update.oneOf(update.path('state'), liveStates)
          : attemptIn(update, { taskId, attempt: ifAttempt }, ['PLACED', 'RUNNING']);
      return `${live} AND ${free}`;
    });
