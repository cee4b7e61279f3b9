import type { AlarmTarget } from '../domain/capacity/alarmTarget.ts';
import type { HoldRequest } from '../domain/lifecycle/hold.ts';
import type { ArrayRef, TaskArray } from '../domain/model/array.ts';
import type { Arrival } from '../domain/model/arrival.ts';
import type { Claim, Host, HostState } from '../domain/model/host.ts';
import type { CapacityOrder, Cluster, InsufficientCapacity, Pool, Usage } from '../domain/model/pool.ts';
import type { Reason, StopCause } from '../domain/model/reason.ts';
import type { Resources } from '../domain/model/resources.ts';
import type { Concurrency, Task, TaskState } from '../domain/model/task.ts';

/**
 * The record of everything. Every write is one guarded, repeatable step: it says in its result whether the guard held,
 * and never throws for a guard that did not. Only infrastructure failures throw (`StoreUnavailable`), and after one the
 * caller may repeat the call.
 */
export interface Store extends TaskStore, ArrivalStore, ArrayStore, SeatStore, HostStore, ClusterStore {}

/** The guard of a write did not hold; `current` is the record as it was found, when there is one. */
export interface Refused<T> {
  readonly outcome: 'refused';
  readonly current: T | undefined;
}
export interface Applied<T> {
  readonly outcome: 'applied';
  readonly current: T;
}
export type Guarded<T> = Applied<T> | Refused<T>;

/** Which attempt a write is about: it is refused when the task has moved on. */
export interface AttemptRef {
  readonly taskId: string;
  readonly attempt: number;
}

export interface TaskStore {
  /**
   * Puts a new task. `duplicate` returns the record that the first call made, unchanged. One that is `arriving` stays beside
   * the queue until it is claimed, `recordWait` or `queueTask`: note it as an arrival first.
   */
  acceptTask(task: Task): Promise<{ readonly outcome: 'accepted' | 'duplicate'; readonly task: Task }>;
  /** Strongly consistent. */
  getTask(taskId: string): Promise<Task | undefined>;
  /** Strongly consistent, any number of ids; unknown ones are left out. */
  getTasks(taskIds: readonly string[]): Promise<Task[]>;
  /**
   * The queue of a cluster by (priority descending, accepted first), eventually consistent: a task may be missing for a
   * moment or be no longer pending. What is `arriving` is not in it: `listArrivals` is. `more` says the limit cut the list.
   */
  listPending(cluster: string, limit: number): Promise<{ readonly tasks: Task[]; readonly more: boolean }>;
  /** Tasks of a cluster that wait for others; order and consistency as for the queue. */
  listBlocked(cluster: string, limit: number): Promise<{ readonly tasks: Task[]; readonly more: boolean }>;
  /**
   * Notes that one task waits for another, for as long as the waiting one's record is kept, and returns the other as it is
   * then: whoever ends it later finds `hasDependents` on it. Repeatable.
   */
  addDependent(
    dependencyId: string,
    dependent: Pick<Task, 'taskId' | 'expiresAt'>,
  ): Promise<Task | undefined>;
  /** Strongly consistent. */
  listDependents(taskId: string): Promise<string[]>;
  /** Guard: BLOCKED. It goes into the queue. */
  unblockTask(taskId: string): Promise<Guarded<Task>>;
  /** Guard: PENDING and `arriving`. It goes into the queue as it is. */
  queueTask(taskId: string): Promise<Guarded<Task>>;
  /** Guard: PENDING at this attempt. Writes nothing when the reason is the one on record; queues what is `arriving`. */
  recordWait(ref: AttemptRef, reason: Reason): Promise<Guarded<Task>>;
  /** Guard: PLACED at this attempt, no ARN on record or the same one. */
  recordLaunch(ref: AttemptRef, ecsTaskArn: string): Promise<Guarded<Task>>;
  /** Guard: PLACED at this attempt. The answer of the launch is unknown and the same token will be tried again. */
  recordLaunchUnknown(ref: AttemptRef, detail: string): Promise<Guarded<Task>>;
  /** Guard: PLACED or RUNNING at this attempt with an older (or no) ECS version. */
  recordRunning(
    ref: AttemptRef,
    seen: { readonly ecsTaskArn: string; readonly ecsVersion: number; readonly startedAt: number },
  ): Promise<Guarded<Task>>;
  /**
   * Ends the attempt for good. Guard: not terminal, this attempt; with `ifState`, in one of those states.
   * The claim is released separately (`releaseClaims`), before or after: both are repeatable.
   */
  finishTask(ref: AttemptRef, end: TaskEnd): Promise<Guarded<Task>>;
  /**
   * Ends the attempt and queues the next one. Guard: PLACED or RUNNING at this attempt. A preemption's or a timeout's stop
   * request goes with the attempt; a cancellation's stays, so that whoever takes the task up next can finish it.
   */
  requeueTask(ref: AttemptRef, next: Requeue): Promise<Guarded<Task>>;
  /**
   * Marks a live task to be stopped. Guard: not terminal, no earlier request but a preemption's, which a cancellation or a
   * timeout overrules. PENDING tasks are better finished.
   */
  requestStop(
    taskId: string,
    request: NonNullable<Task['stopRequested']>,
    /** Guard: PLACED or RUNNING at this attempt. */
    ifAttempt?: number,
  ): Promise<Guarded<Task>>;
}

/** What was accepted lately, for as long as a pass may not have seen it. */
export interface ArrivalStore {
  /** Repeatable. */
  noteArrivals(arrival: Arrival): Promise<void>;
  /**
   * Arrivals of a time, its end included, oldest first. Strongly consistent. `more` says the limit cut the list; a
   * millisecond is not expected to have as many.
   */
  listArrivals(
    cluster: string,
    time: { readonly afterMs: number; readonly untilMs: number },
    limit: number,
  ): Promise<{ readonly arrivals: Arrival[]; readonly more: boolean }>;
  /** Guard: the cluster is on record, with an earlier `arrivalsSeenAt` or none. */
  recordArrivalsSeen(cluster: string, untilMs: number): Promise<{ readonly outcome: 'applied' | 'refused' }>;
}

export interface ArrayStore {
  /** Changes nothing when it is on record. */
  openArray(array: TaskArray): Promise<void>;
  /** Strongly consistent. */
  getArray(arrayId: string): Promise<TaskArray | undefined>;
  /**
   * Counts a member's end, once however often it is repeated. The one that completes the array sets its `endedAt` and
   * sums. Nothing happens for an array that is not on record.
   */
  countArrayMember(member: {
    readonly array: ArrayRef;
    readonly index: number;
    readonly end: 'succeeded' | 'failed' | 'cancelled';
    readonly nowMs: number;
    readonly expiresAt: number;
  }): Promise<void>;
}

/** Places under a concurrency key. They are taken by `claim`, in its transaction. */
export interface SeatStore {
  /** The attempts that have a seat, by key; keys without any are left out. Strongly consistent. */
  listSeats(cluster: string, keys: readonly string[]): Promise<ReadonlyMap<string, readonly AttemptRef[]>>;
  /** No guard: only for attempts that are over, which take no seat again. Those that have none are passed over. */
  freeSeats(cluster: string, key: string, seats: readonly AttemptRef[]): Promise<void>;
}

export interface TaskEnd {
  readonly state: Extract<TaskState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>;
  readonly ifState?: readonly TaskState[];
  readonly reason: Reason;
  readonly endedAt: number;
  /** When it had started, for an attempt whose start was never on record. */
  readonly startedAt?: number;
  readonly exitCode?: number;
  readonly ecsTaskArn?: string;
  readonly ecsVersion?: number;
}

export interface Requeue {
  readonly cause: StopCause;
  readonly reason: Reason;
  /** Whether this attempt counts against the task's own attempts. */
  readonly counted: boolean;
  /** The task's count of failed starts from now on. */
  readonly startsFailed?: Task['startsFailed'];
  readonly notBefore?: number;
}

export interface HostStore {
  /**
   * Strongly consistent, by id; with what agents report (`agentSeenAt`, `pressure`, `usage`), which may be some seconds
   * old. With `hostIds` only these, at about one read unit each; unknown ones are left out.
   */
  listHosts(cluster: string, hostIds?: readonly string[]): Promise<Host[]>;
  getHost(cluster: string, hostId: string): Promise<Host | undefined>;
  /**
   * Guard: no such host yet, and the order that it names is open: a host that has come and gone does not come back because
   * a purchase is repeated. Else `refused` with the one on record, if any.
   */
  addHost(host: Host): Promise<Guarded<Host>>;
  /**
   * What ECS says of the host: BOOTING becomes READY. `left` becomes `capacity` minus claims. Guard: not TERMINATING,
   * older (or no) ECS version, or an earlier registration (versions start again with each) and no claims, which are of
   * that one. Call it for news only: ECS
   * tells of a host's every task, and each call that is applied costs four write units or more.
   */
  registerHost(
    cluster: string,
    hostId: string,
    seen: {
      readonly containerInstanceArn: string;
      readonly capacity: Resources;
      readonly attributes: Readonly<Record<string, string>>;
      readonly ecsVersion: number;
      readonly registeredAt: number;
    },
  ): Promise<Guarded<Host>>;
  /**
   * Guard: in one of `from`, and, when asked, at `epoch` and without claims (so that a claim and a retirement exclude each
   * other). TERMINATING starts the host's next epoch.
   */
  setHostState(
    cluster: string,
    hostId: string,
    change: {
      readonly from: readonly HostState[];
      readonly to: HostState;
      readonly reason: string;
      /** Kept as the host's `stateSince`; without it the host has none. */
      readonly atMs?: number;
      readonly epoch?: number;
      /** Guard: it is still registered as it was then. */
      readonly registeredAt?: number;
      readonly ifEmpty?: boolean;
    },
  ): Promise<Guarded<Host>>;
  /**
   * Reserves a host for up to 99 tasks in one transaction and moves them to PLACED. Guards: host READY at `epoch` with
   * enough left and its ports unused; each task PENDING at its attempt and not claimed here. All or nothing; a repeat of
   * a claim that already happened is `claimed`.
   */
  claim(request: ClaimRequest): Promise<ClaimOutcome>;
  /**
   * Keeps room on a host for a task in whose favour others are stopped (`withHold`), in one transaction: what is left goes
   * to the hold, and the victims' claims name their heir. Guards: the task PENDING at its attempt, the host READY at
   * `epoch`, the victims' claims there at their attempts and promised to nobody. `refused` with the host as found; a
   * repeat is `applied`.
   */
  holdPlace(request: HoldPlace): Promise<Guarded<Host>>;
  /**
   * Gives the capacity of claims back, in one write for every 25 of them, and each once: to its heir's hold, if it has
   * one here, else to all. `released` are the tasks of those that this call gave back; the other attempts hold none here.
   */
  releaseClaims(
    cluster: string,
    hostId: string,
    ends: readonly ClaimEnd[],
    nowMs: number,
  ): Promise<{ readonly released: readonly string[] }>;
  /**
   * The host is gone: removes its record and returns it as it last was, so that its claims' tasks can be dealt with.
   * Deal with them first: after this nothing names them but the tasks themselves. Guard: with `ifEmpty`, no claims.
   */
  removeHost(cluster: string, hostId: string, options: { readonly ifEmpty: boolean }): Promise<Guarded<Host>>;
}

/** An attempt that needs its claim no more. */
export interface ClaimEnd extends AttemptRef {
  /** It could not be started there: counts in the host's `launchFailures`. */
  readonly failedToStart?: boolean;
}

export interface HoldPlace extends HoldRequest {
  readonly cluster: string;
  readonly hostId: string;
}

export interface ClaimRequest {
  readonly cluster: string;
  readonly hostId: string;
  readonly epoch: number;
  readonly nowMs: number;
  readonly reason: Reason;
  readonly tasks: readonly (AttemptRef &
    Pick<
      Claim,
      'demand' | 'hostPorts' | 'group' | 'priority' | 'interruptible' | 'source' | 'constrained'
    > & {
      /** What this host holds for the task, as it was read: it goes into the claim. Guard: it is still that. */
      readonly hold?: Pick<Claim, 'demand' | 'hostPorts'>;
      /** Guard: fewer than `max` seats of the key are taken. The task takes one. */
      readonly concurrency?: Concurrency;
      /** Goes onto the task's record, for its launch: the demand is less than what it asks. */
      readonly cpuOvercommit?: number;
    })[];
}

export type ClaimOutcome =
  | { readonly outcome: 'claimed' }
  /** The host no longer meets the guard: plan again on a fresh snapshot. */
  | { readonly outcome: 'host-changed'; readonly host: Host | undefined }
  /** These tasks are no longer pending at that attempt (cancelled, placed elsewhere): leave them out. */
  | { readonly outcome: 'tasks-changed'; readonly taskIds: readonly string[] }
  /** All else would hold, but so many seats are not free under the keys of these. */
  | { readonly outcome: 'cap-reached'; readonly taskIds: readonly string[] };

export interface ClusterStore {
  /** Strongly consistent, pools included. */
  getCluster(cluster: string): Promise<Cluster | undefined>;
  listClusters(): Promise<string[]>;
  /** Creates the cluster and those of its pools that do not exist; changes nothing that does. */
  ensureCluster(cluster: Cluster): Promise<void>;
  /** The pool's settings and its target; what it remembers (`alarms`, `idleGapsMs`, `disruptedAt`) stays as it is on record. */
  putPool(pool: Pool): Promise<void>;
  /** Sets what is named and leaves the rest. Guard: the pool is on record. */
  changePool(cluster: string, pool: string, changes: Partial<Pool>): Promise<Guarded<Pool>>;
  /** Guard: the pool's target and its alarms are still `from`. */
  setAlarmTarget(
    cluster: string,
    pool: string,
    change: { readonly from: AlarmTarget; readonly to: AlarmTarget },
  ): Promise<Guarded<Pool>>;
  /**
   * Guard: `disruptedAt` is still `from`. Whoever empties hosts to save money puts that here first, so that rounds that
   * overlap cannot both spend the pool's budget.
   */
  recordDisruptions(
    cluster: string,
    pool: string,
    change: { readonly from: readonly number[]; readonly to: readonly number[] },
  ): Promise<Guarded<Pool>>;
  /** Adds observed gaps to the pool's `idleGapsMs`, of which the latest 64 stay. Nothing happens without the pool. */
  recordIdleGaps(cluster: string, pool: string, gapsMs: readonly number[]): Promise<void>;
  /**
   * Guard: no pause or resumption later than `atMs`, when this one was asked for, is on record. An invocation that Lambda
   * gave up and that goes on would else pause again what was resumed meanwhile.
   */
  setPaused(
    cluster: string,
    paused: boolean,
    atMs: number,
    /** Only what this source asked for; absent: the whole cluster. */
    source?: string,
  ): Promise<{ readonly outcome: 'applied' | 'refused' }>;
  /** Guard: the cluster is on record. 1 is what a source without a weight has. */
  setWeight(
    cluster: string,
    source: string,
    weight: number,
  ): Promise<{ readonly outcome: 'applied' | 'refused' }>;
  /** Guard: the usage on record is as of `fromMs` (absent: there is none). Of an unknown cluster nothing is recorded. */
  recordUsage(
    cluster: string,
    fromMs: number | undefined,
    usage: Usage,
  ): Promise<{ readonly outcome: 'applied' | 'refused' }>;
  /**
   * Guard: the pool's last order is closed and is still `afterOrderId` (absent: there was none). Then `refused` with the
   * last order: a plan made before it does not know what it bought, and would buy that once more.
   */
  openOrder(order: CapacityOrder, afterOrderId: string | undefined): Promise<Guarded<CapacityOrder>>;
  /** Guard: OPEN. */
  closeOrder(
    cluster: string,
    pool: string,
    orderId: string,
    end: Pick<CapacityOrder, 'state' | 'bought' | 'errors'>,
  ): Promise<Guarded<CapacityOrder>>;
  listOpenOrders(cluster: string): Promise<CapacityOrder[]>;
  /** The last order of each pool, open or closed. Strongly consistent. */
  listLastOrders(cluster: string): Promise<CapacityOrder[]>;
  rememberInsufficientCapacity(cluster: string, what: readonly InsufficientCapacity[]): Promise<void>;
  listInsufficientCapacity(cluster: string, nowMs: number): Promise<InsufficientCapacity[]>;
}

/** The table did not answer or refused for reasons of its own; nothing is known about the write. Safe to repeat. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
