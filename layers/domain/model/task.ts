import type { IsolationProfile } from '../isolation/profile.ts';
import type { ArrayRef } from './array.ts';
import type { Reason } from './reason.ts';
import type { Resources } from './resources.ts';

export type PlacementConstraint =
  /** No two tasks of the same group on one host; the group is the family unless given, as in ECS. */
  | { readonly type: 'distinctInstance' }
  /** A cluster query language expression over the host's attributes. */
  | { readonly type: 'memberOf'; readonly expression: string }
  /** Only (anti-affinity: never) beside a task carrying this group. */
  | { readonly type: 'affinity' | 'antiAffinity'; readonly group: string };

export type PlacementStrategy =
  | { readonly type: 'binpack'; readonly field?: 'cpu' | 'memory' }
  | { readonly type: 'random' }
  /** `field` is `instanceId`, `zone` or an attribute's name. `maxSkew` makes the spread a requirement. */
  | { readonly type: 'spread'; readonly field: string; readonly maxSkew?: number };

export interface Placement {
  readonly strategies: readonly PlacementStrategy[];
  readonly constraints: readonly PlacementConstraint[];
  /** Only hosts of this pool, and only this pool is grown for it. */
  readonly pool?: string;
  /** Members of one gang are placed all or none. */
  readonly gang?: { readonly id: string; readonly size: number };
}

export interface ContainerOverride {
  readonly name: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** ECS CPU units. */
  readonly cpu?: number;
  /** MiB, hard limit. */
  readonly memory?: number;
}

/** Ends before the first process ran that have limits of their own. */
export type StartFailure = 'IMAGE_PULL' | 'LAUNCH_FAILED';

export interface RetryPolicy {
  /** Attempts in all that may end by the task's own doing (exit code, OOM, timeout); infrastructure causes are not counted. */
  readonly maxAttempts: number;
  /** Which of the task's own ends are tried again; an absent one is. Any other end is final. */
  readonly on?: {
    /** Only these exit codes. */
    readonly exitCodes?: readonly number[];
    readonly outOfMemory?: boolean;
    readonly timeout?: boolean;
  };
  /** How often in all an image may fail to be pulled, and ECS fail to start what it took. Neither is an attempt of the task's own. */
  readonly limits?: { readonly imagePull?: number; readonly launchFailed?: number };
}

export interface Dependency {
  readonly taskId: string;
  readonly condition: 'success' | 'completion';
}

/** At most `max` tasks of the key hold a place in the cluster when this one gets its own. */
export interface Concurrency {
  readonly key: string;
  readonly max: number;
}

/** What was asked, pinned at accept: nothing in it changes for the task's life. */
export interface TaskSpec {
  /** ARN with revision. */
  readonly taskDefinition: string;
  readonly family: string;
  readonly group: string;
  readonly containers: readonly ContainerOverride[];
  /** What one attempt takes of a host, overrides applied. */
  readonly demand: Resources;
  /** Fixed host ports, as `8080/tcp`. */
  readonly hostPorts: readonly string[];
  readonly placement: Placement;
  /** Higher goes first. -1000..1000 */
  readonly priority: number;
  readonly retry: RetryPolicy;
  readonly timeoutSeconds?: number;
  readonly isolation: IsolationProfile;
  /** May be stopped and moved to save money or make room. */
  readonly interruptible: boolean;
  readonly after: readonly Dependency[];
  readonly array?: ArrayRef;
  readonly concurrency?: Concurrency;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * - `BLOCKED`: waits for other tasks to end; not in the queue
 * - `PENDING`: in the queue for `attempt`
 * - `PLACED`: a host's capacity is claimed for `attempt`; its launch is under way or its answer unknown
 * - `RUNNING`: ECS reported the attempt's containers running
 * - the rest are terminal
 */
export type TaskState = 'BLOCKED' | 'PENDING' | 'PLACED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export const isTerminal = (state: TaskState): boolean =>
  state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';

export type StopCode = 'CANCELLED' | 'TIMEOUT' | 'PREEMPTED';

/** The stop requests that one of this code replaces. */
export const weakerStops: Readonly<Record<StopCode, readonly StopCode[]>> = {
  CANCELLED: ['TIMEOUT', 'PREEMPTED'],
  TIMEOUT: ['PREEMPTED'],
  PREEMPTED: [],
};

export interface Task {
  readonly taskId: string;
  readonly cluster: string;
  /** Who asked: the event's source, `operator`, `alarm:<name>`, `service:<name>`. */
  readonly source: string;
  readonly idempotencyKey: string;
  readonly ordinal: number;
  readonly spec: TaskSpec;
  readonly state: TaskState;
  /** PENDING, and beside the queue until the pass that its wake asks for has placed or queued it (`Arrival`). */
  readonly arriving?: true;
  /** The attempt that is queued or under way, from 1. Only ever grows. */
  readonly attempt: number;
  /** Attempts that ended by the task's own doing. */
  readonly attemptsUsed: number;
  /** Attempts that ended by a cause with a limit of its own; absent while there are none. */
  readonly startsFailed?: Readonly<Partial<Record<StartFailure, number>>>;
  readonly acceptedAt: number;
  /** Epoch ms before which the scheduler leaves it alone (back-off). */
  readonly notBefore?: number;
  readonly reason: Reason;
  readonly hostId?: string;
  readonly placedAt?: number;
  /** The CPU set aside for this attempt is what was asked, divided by this. */
  readonly cpuOvercommit?: number;
  readonly ecsTaskArn?: string;
  /** `detail.version` of the last ECS event applied to this attempt. */
  readonly ecsVersion?: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly exitCode?: number;
  /** The current attempt is to be stopped. After CANCELLED none follows; the others end with their attempt. */
  readonly stopRequested?: { readonly code: StopCode; readonly detail: string };
  /** Epoch seconds, DynamoDB TTL. */
  readonly expiresAt: number;
  /** Others wait for it; absent when none ever did. */
  readonly hasDependents?: boolean;
}
