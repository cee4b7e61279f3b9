import { isTerminal, type Task, type TaskState, weakerStops } from '../../layers/domain/model/task.ts';
import type { AttemptRef, Guarded, TaskStore } from '../../layers/ports/store.ts';
import { unblockedReason } from '../../layers/store/dependents.ts';
import { queueOrder } from '../../layers/store/keys.ts';
import { launchedReason, runningReason } from '../../layers/store/recordProgress.ts';
import { inner, type MemoryTables, putTask } from './memoryTables.ts';

export function taskCommands(tables: MemoryTables, isStale: (task: Task) => boolean): TaskStore {
  /** Writes what `next` makes of the record, if its guard finds it in order. */
  const step = (taskId: string, next: (task: Task) => Task | undefined): Guarded<Task> => {
    const task = tables.tasks.get(taskId);
    const after = task && next(task);
    if (after === undefined) return { outcome: 'refused', current: task };
    if (after !== task) putTask(tables, after);
    return { outcome: 'applied', current: after };
  };
  return {
    async acceptTask(task) {
      const known = tables.tasks.get(task.taskId);
      if (known !== undefined) return { outcome: 'duplicate', task: known };
      putTask(tables, task);
      return { outcome: 'accepted', task };
    },
    async getTask(taskId) {
      return tables.tasks.get(taskId);
    },
    async getTasks(taskIds) {
      return [...new Set(taskIds)].flatMap((taskId) => tables.tasks.get(taskId) ?? []);
    },
    async listPending(cluster, limit) {
      const tasks = queueAsSeen(tables, cluster, isStale);
      return { tasks: tasks.slice(0, limit), more: tasks.length > limit };
    },
    async listBlocked(cluster, limit) {
      const tasks = [...tables.tasks.values()]
        .filter((task) => task.cluster === cluster && task.state === 'BLOCKED')
        .sort((a, b) => (queueOrder(a) < queueOrder(b) ? -1 : 1));
      return { tasks: tasks.slice(0, limit), more: tasks.length > limit };
    },
    async addDependent(dependencyId, { taskId }) {
      const known = tables.dependents.get(dependencyId) ?? new Set();
      tables.dependents.set(dependencyId, known.add(taskId));
      return step(dependencyId, (task) => (task.hasDependents ? task : { ...task, hasDependents: true }))
        .current;
    },
    async listDependents(taskId) {
      return [...(tables.dependents.get(taskId) ?? [])].sort();
    },
    async unblockTask(taskId) {
      return step(taskId, (task) =>
        task.state === 'BLOCKED' ? { ...task, state: 'PENDING', reason: unblockedReason } : undefined,
      );
    },
    async queueTask(taskId) {
      return step(taskId, (task) => (task.arriving ? withoutArrival(task) : undefined));
    },
    async recordWait(ref, reason) {
      return step(ref.taskId, (task) => {
        if (!isIn(task, ref, ['PENDING'])) return undefined;
        if (sameValue(task.reason, reason) && !task.arriving) return task;
        return { ...withoutArrival(task), reason };
      });
    },
    async recordLaunch(ref, ecsTaskArn) {
      return step(ref.taskId, (task) => {
        if (!isIn(task, ref, ['PLACED'])) return undefined;
        if (task.ecsTaskArn !== undefined && task.ecsTaskArn !== ecsTaskArn) return undefined;
        const doubted = task.reason.code === 'LAUNCH_UNKNOWN';
        return { ...task, ecsTaskArn, reason: doubted ? launchedReason(ecsTaskArn) : task.reason };
      });
    },
    async recordLaunchUnknown(ref, detail) {
      return step(ref.taskId, (task) =>
        isIn(task, ref, ['PLACED']) ? { ...task, reason: { code: 'LAUNCH_UNKNOWN', detail } } : undefined,
      );
    },
    async recordRunning(ref, seen) {
      return step(ref.taskId, (task) =>
        isIn(task, ref, ['PLACED', 'RUNNING']) &&
        (task.ecsVersion === undefined || task.ecsVersion < seen.ecsVersion)
          ? { ...task, state: 'RUNNING', reason: runningReason, ...seen }
          : undefined,
      );
    },
    async finishTask(ref, { ifState, ...end }) {
      return step(ref.taskId, (task) =>
        task.attempt === ref.attempt &&
        !isTerminal(task.state) &&
        (ifState === undefined || ifState.includes(task.state))
          ? { ...withoutArrival(task), ...end }
          : undefined,
      );
    },
    async requeueTask(ref, next) {
      return step(ref.taskId, (task) => {
        if (!isIn(task, ref, ['PLACED', 'RUNNING'])) return undefined;
        const { notBefore: _notBefore, stopRequested, ...kept } = withoutAttempt(task);
        return {
          ...kept,
          state: 'PENDING',
          attempt: task.attempt + 1,
          attemptsUsed: task.attemptsUsed + (next.counted ? 1 : 0),
          reason: next.reason,
          ...(next.startsFailed !== undefined && { startsFailed: next.startsFailed }),
          ...(next.notBefore !== undefined && { notBefore: next.notBefore }),
          ...(stopRequested !== undefined && stopRequested.code === 'CANCELLED' && { stopRequested }),
        };
      });
    },
    async requestStop(taskId, request, ifAttempt) {
      return step(taskId, (task) => {
        const earlier = task.stopRequested?.code;
        const free = earlier === undefined || weakerStops[request.code].includes(earlier);
        const live =
          ifAttempt === undefined
            ? !isTerminal(task.state)
            : isIn(task, { taskId, attempt: ifAttempt }, ['PLACED', 'RUNNING']);
        return live && free ? { ...task, stopRequested: request } : undefined;
      });
    },
  };
}

const isIn = (task: Task, ref: AttemptRef, states: readonly TaskState[]): boolean =>
  task.attempt === ref.attempt && states.includes(task.state);

export function withoutArrival({ arriving: _arriving, ...task }: Task): Task {
  return task;
}

function withoutAttempt(task: Task): Task {
  const {
    hostId: _hostId,
    placedAt: _placedAt,
    cpuOvercommit: _cpuOvercommit,
    ecsTaskArn: _ecsTaskArn,
    ecsVersion: _ecsVersion,
    startedAt: _startedAt,
    endedAt: _endedAt,
    exitCode: _exitCode,
    ...kept
  } = task;
  return kept;
}

function queueAsSeen(tables: MemoryTables, cluster: string, isStale: (task: Task) => boolean): Task[] {
  const seen = new Map(inner(tables.pending, cluster));
  for (const [taskId, before] of tables.indexBefore) {
    const task = tables.tasks.get(taskId);
    if (task === undefined || task.cluster !== cluster || !isStale(task)) continue;
    if (before === undefined) seen.delete(taskId);
    else seen.set(taskId, before);
  }
  return [...seen.values()].sort((a, b) => (queueOrder(a) < queueOrder(b) ? -1 : 1));
}

/** Equality of plain values as DynamoDB compares maps: by content, absent and `undefined` alike. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) =>
    sameValue(left[key], right[key]),
  );
}
