import type { EcsHostObservation } from '../domain/lifecycle/ecsHost.ts';
import type { EcsTaskObservation } from '../domain/lifecycle/ecsTask.ts';
import type { ContainerOverride } from '../domain/model/task.ts';

/** A task definition, as far as Berth needs to know it. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  /** Task-level limits, when set. */
  readonly cpuUnits?: number;
  readonly memoryMiB?: number;
  readonly networkMode: string;
  /** Cluster query language expressions that every launch of the definition has to meet. */
  readonly memberOf?: readonly string[];
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly cpuUnits: number;
    /** What ECS reserves: the reservation, else the hard limit. */
    readonly memoryMiB: number;
    readonly gpus: number;
    readonly essential: boolean;
    readonly hostPorts: readonly string[];
  }[];
}

export interface LaunchRequest {
  readonly cluster: string;
  readonly taskDefinitionArn: string;
  readonly hostId: string;
  /** `taskId:attempt`; ECS answers a repeat with the task of the first call. */
  readonly clientToken: string;
  /** `taskId:attempt`; comes back in every event of the task. */
  readonly startedBy: string;
  readonly group: string;
  readonly containers: readonly ContainerOverride[];
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * - `launched`: ECS has a task for this token
 * - `refused`: it has none and will not make one on this host now (`RESOURCE:CPU`, `AGENT`, `MISSING`, ...): the claim is
 *   released and the host's record is checked
 * - `impossible`: no host will ever do (the definition is inactive, the request is invalid)
 * - `throttled`: nothing happened; the rest waits for the next pass
 * - `unknown`: a timeout or a server error; the same token must be tried again before anything else
 */
export type LaunchOutcome =
  | { readonly outcome: 'launched'; readonly ecsTaskArn: string }
  | { readonly outcome: 'refused'; readonly code: string; readonly detail: string }
  | { readonly outcome: 'impossible'; readonly code: string; readonly detail: string }
  | { readonly outcome: 'throttled'; readonly detail: string }
  | { readonly outcome: 'unknown'; readonly detail: string };

/** One ECS task as ECS tells it, by event or by DescribeTasks. */
export type ObservedTask = EcsTaskObservation;

/** One container instance as ECS tells it. */
export type ObservedHost = EcsHostObservation;

/** ECS, as the domain needs it. Lists and reads are eventually consistent: absence proves nothing for five minutes. */
export interface Containers {
  /** Resolves family, family:revision or ARN to a pinned definition; `undefined` when there is none or it is inactive. */
  describeTaskDefinition(nameOrArn: string): Promise<TaskDefinition | undefined>;
  launch(request: LaunchRequest): Promise<LaunchOutcome>;
  /** Idempotent; a task that is gone is a success. */
  stop(
    cluster: string,
    ecsTaskArn: string,
    reason: string,
  ): Promise<{ readonly outcome: 'asked' | 'gone' | 'throttled' }>;
  describeTasks(cluster: string, ecsTaskArns: readonly string[]): Promise<ObservedTask[]>;
  /** All of the cluster's tasks, or those with this `startedBy`; running and recently stopped ones. */
  listTasks(cluster: string, filter?: { readonly startedBy?: string }): Promise<ObservedTask[]>;
  listHosts(cluster: string): Promise<ObservedHost[]>;
  setDraining(cluster: string, containerInstanceArn: string, draining: boolean): Promise<void>;
  deregister(cluster: string, containerInstanceArn: string): Promise<void>;
}

/** What accepting a request needs of ECS. */
export type Definitions = Pick<Containers, 'describeTaskDefinition'>;
/** What an operator's command needs of ECS. */
export type OperatedContainers = Pick<Containers, 'describeTaskDefinition' | 'stop'>;
