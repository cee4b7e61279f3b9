import type { TaskArray } from '../../layers/domain/model/array.ts';
import type { Arrival } from '../../layers/domain/model/arrival.ts';
import type { Host } from '../../layers/domain/model/host.ts';
import type { CapacityOrder, InsufficientCapacity, Pool, Usage } from '../../layers/domain/model/pool.ts';
import type { Task } from '../../layers/domain/model/task.ts';
import type { PlanningReport } from '../../layers/store/agentReports.ts';

/** What the memory store holds. Every write of a task goes through `putTask`, which keeps the queue. */
export interface MemoryTables {
  readonly tasks: Map<string, Task>;
  /** What the queue's index showed before a task's last write; only for tasks that entered or left it by that write. */
  readonly indexBefore: Map<string, Task | undefined>;
  /** By cluster, then task id. */
  readonly pending: Map<string, Map<string, Task>>;
  /** By cluster, then `arrivalOrder`. */
  readonly arrivals: Map<string, Map<string, Arrival>>;
  readonly arrays: Map<string, TaskArray>;
  /** By array, then index. */
  readonly arrayEnds: Map<string, Map<number, 'succeeded' | 'failed' | 'cancelled'>>;
  /** By the task that is waited for. */
  readonly dependents: Map<string, Set<string>>;
  /** By cluster, then concurrency key: attempts as `taskId:attempt`. */
  readonly seats: Map<string, Map<string, Set<string>>>;
  /** By cluster, then host id. */
  readonly hosts: Map<string, Map<string, Host>>;
  /** What agents report, by host id. */
  readonly reports: Map<string, PlanningReport>;
  readonly clusters: Map<
    string,
    {
      readonly cells: number;
      readonly paused: boolean;
      readonly pausedAt?: number;
      readonly weights?: Readonly<Record<string, number>>;
      readonly usage?: Usage;
      readonly arrivalsSeenAt?: number;
      readonly sources?: ReadonlyMap<string, { readonly paused: boolean; readonly at: number }>;
    }
  >;
  /** By cluster and pool. */
  readonly pools: Map<string, Pool>;
  readonly orders: Map<string, CapacityOrder>;
  readonly shortages: Map<string, Map<string, InsufficientCapacity>>;
  /** Hears every written task, like a reader of the table's stream. */
  onTaskWritten: ((before: Task | undefined, after: Task) => void) | undefined;
  /** Hears every written host; `after` is absent for one that was removed. */
  onHostWritten: ((before: Host | undefined, after: Host | undefined) => void) | undefined;
  /** Hears every order that is opened or closed. */
  onOrderWritten: ((after: CapacityOrder) => void) | undefined;
}

export const emptyTables = (): MemoryTables => ({
  tasks: new Map(),
  indexBefore: new Map(),
  pending: new Map(),
  arrivals: new Map(),
  arrays: new Map(),
  arrayEnds: new Map(),
  dependents: new Map(),
  seats: new Map(),
  hosts: new Map(),
  reports: new Map(),
  clusters: new Map(),
  pools: new Map(),
  orders: new Map(),
  shortages: new Map(),
  onTaskWritten: undefined,
  onHostWritten: undefined,
  onOrderWritten: undefined,
});

const isQueued = ({ state, arriving }: Task): boolean => state === 'PENDING' && arriving === undefined;

export function putTask(tables: MemoryTables, task: Task): void {
  const before = tables.tasks.get(task.taskId);
  tables.tasks.set(task.taskId, task);
  tables.indexBefore.set(task.taskId, before !== undefined && isQueued(before) ? before : undefined);
  const queue = inner(tables.pending, task.cluster);
  if (isQueued(task)) queue.set(task.taskId, task);
  else queue.delete(task.taskId);
  tables.onTaskWritten?.(before, task);
}

/** The inner map of a two-level one, made when missing. */
export function inner<T>(outer: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const known = outer.get(key);
  if (known !== undefined) return known;
  const made = new Map<string, T>();
  outer.set(key, made);
  return made;
}
