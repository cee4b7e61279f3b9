import type { StopCause } from '../model/reason.ts';
import { parseAttemptToken } from './attemptToken.ts';
import { NOT_ESSENTIAL, type StoppedContainer, stopCauseOf } from './stopCause.ts';

/**
 * An ECS task as ECS words it, in an event or in DescribeTasks: the two differ in how they write times, which the caller
 * turns into epoch ms.
 */
export interface EcsTaskFacts {
  readonly clusterArn: string;
  readonly taskArn: string;
  readonly containerInstanceArn?: string | undefined;
  readonly startedBy?: string | undefined;
  readonly version: number;
  readonly lastStatus: string;
  readonly desiredStatus: string;
  readonly startedAt?: number | undefined;
  readonly stoppedAt?: number | undefined;
  readonly stopCode?: string | undefined;
  readonly stoppedReason?: string | undefined;
  readonly containers: readonly {
    readonly name: string;
    readonly exitCode?: number | undefined;
    readonly reason?: string | undefined;
  }[];
  /** Names of the containers that the launch marked as not essential. */
  readonly notEssential: readonly string[];
}

/** The last part of an ARN or path: `demo` of `arn:aws:ecs:us-east-1:123456789012:cluster/demo`. */
export const lastPart = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** The containers marked by the launch, read back from the task's overrides. */
export const notEssentialIn = (
  overrides: readonly {
    readonly name?: string | undefined;
    readonly environment?: readonly { readonly name?: string | undefined }[] | undefined;
  }[],
): string[] =>
  overrides.flatMap(({ name, environment }) =>
    name !== undefined && environment?.some((variable) => variable.name === NOT_ESSENTIAL) ? [name] : [],
  );

const present = <K extends string, T>(key: K, value: T | undefined): { readonly [k in K]?: T } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [k in K]?: T };

/** What Berth makes of an ECS task. */
export interface EcsTaskObservation {
  readonly cluster: string;
  readonly ecsTaskArn: string;
  readonly containerInstanceArn?: string;
  /** From `startedBy`; absent for tasks that are not Berth's. */
  readonly ref?: { readonly taskId: string; readonly attempt: number };
  readonly version: number;
  readonly lastStatus: string;
  readonly desiredStatus: string;
  readonly startedAt?: number;
  readonly stoppedAt?: number;
  readonly exitCode?: number;
  /** Only of STOPPED ones. */
  readonly cause?: StopCause;
  readonly detail?: string;
  /** STOPPED, by ECS's word alone: what ran may run on. */
  readonly mayRunOn?: true;
}

export function observeEcsTask(facts: EcsTaskFacts): EcsTaskObservation {
  const containers = facts.containers.map(
    (container): StoppedContainer => ({
      name: container.name,
      essential: !facts.notEssential.includes(container.name),
      ...present('exitCode', container.exitCode),
      ...present('reason', container.reason),
    }),
  );
  const stop =
    facts.lastStatus === 'STOPPED'
      ? stopCauseOf({
          containers,
          started: facts.startedAt !== undefined,
          ...present('stopCode', facts.stopCode),
          ...present('stoppedReason', facts.stoppedReason),
        })
      : undefined;
  return {
    cluster: lastPart(facts.clusterArn),
    ecsTaskArn: facts.taskArn,
    ...present('containerInstanceArn', facts.containerInstanceArn),
    ...present('ref', parseAttemptToken(facts.startedBy)),
    version: facts.version,
    lastStatus: facts.lastStatus,
    desiredStatus: facts.desiredStatus,
    ...present('startedAt', facts.startedAt),
    ...present('stoppedAt', facts.stoppedAt),
    ...stop,
  };
}
