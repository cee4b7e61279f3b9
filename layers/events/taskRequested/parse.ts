import type { IsolationProfile } from '../../domain/isolation/profile.ts';
import type {
  Concurrency,
  ContainerOverride,
  Dependency,
  Placement,
  RetryPolicy,
} from '../../domain/model/task.ts';
import { parseStrict } from '../parseStrict.ts';
import type { Parsed } from '../problem.ts';
import { taskRequestSchema } from './schema.ts';

/** With `byIndex` each member of the request's array waits for the member with its index of the array that the task is in. */
export interface RequestedDependency extends Dependency {
  readonly byIndex?: boolean;
}

/** What a `Task Requested` event, or an operator's `submit`, asks for; defaults filled in, nothing resolved yet. */
export interface TaskRequest {
  readonly cluster: string;
  /** Family, family:revision or ARN. */
  readonly taskDefinition: string;
  /** Absent: the id of the event that asks. */
  readonly idempotencyKey?: string;
  /** Tasks to start, ordinals 0..count-1. */
  readonly count: number;
  /** The tasks know their index, and Task Array Ended follows the end of the last. */
  readonly array: boolean;
  /** Absent: the task definition's family. */
  readonly group?: string;
  readonly containers: readonly ContainerOverride[];
  readonly placement: Placement;
  readonly priority: number;
  readonly retry: RetryPolicy;
  readonly timeoutSeconds?: number;
  readonly isolation: IsolationProfile;
  readonly interruptible: boolean;
  readonly after: readonly RequestedDependency[];
  readonly concurrency?: Concurrency;
  readonly tags: Readonly<Record<string, string>>;
}

/** Parses the detail of `Task Requested`; a refusal names every field that is wrong, the rule and the fix. */
export const parseTaskRequest = (detail: unknown): Parsed<TaskRequest> =>
  parseStrict(taskRequestSchema, detail);
