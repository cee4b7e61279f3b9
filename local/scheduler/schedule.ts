import type { Target } from '@aws-sdk/client-scheduler';
import { ServiceError } from '../engine/service.ts';
import type { RetryLimits } from '../events/outbox.ts';
import { parseSchedule, type Schedule as Times } from '../events/schedule/expression.ts';

export interface StoredSchedule {
  readonly arn: string;
  readonly group: string;
  readonly name: string;
  readonly expression: string;
  readonly zone: string;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly description?: string;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly target: Target & { readonly Arn: string };
  /** Zero when the flexible time window is off. */
  readonly windowMs: number;
  readonly deleteWhenDone: boolean;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly clientToken?: string;
  /** When it last ran; later times alone are still to come. */
  readonly lastMs?: number;
}

const MAXIMUM_RETRIES = 185;
const MAXIMUM_AGE_SECONDS = 86_400;
const TARGET_ARN = /^arn:aws[\w-]*:(?:sqs|lambda|sns):[\w-]+:\d{12}:\S+$/;

export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

export function timesOf({ expression, zone }: Pick<StoredSchedule, 'expression' | 'zone'>): Times {
  const times = parseSchedule(expression, zone);
  if (times === undefined) throw invalid(`Invalid Schedule Expression ${expression}.`);
  return times;
}

/**
 * When a schedule is to run next, in epoch ms. A one-time schedule that has not run is due even when its time has passed:
 * its time came while nobody was there to run it. A rate begins at its start date, or at once.
 */
export function nextRun(schedule: StoredSchedule, times: Times): number | undefined {
  const { startMs, endMs, lastMs, modifiedAtMs, state } = schedule;
  if (state === 'DISABLED') return undefined;
  if (times.kind === 'at') return lastMs === undefined ? times.next(Number.NEGATIVE_INFINITY, 0) : undefined;
  const baseMs = startMs ?? modifiedAtMs;
  const firstMs =
    times.kind === 'rate' ? baseMs : times.next(startMs === undefined ? modifiedAtMs : startMs - 1, baseMs);
  const atMs = lastMs === undefined ? firstMs : times.next(Math.max(lastMs, baseMs - 1), baseMs);
  return atMs === undefined || (endMs !== undefined && atMs > endMs) ? undefined : atMs;
}

/** Checks a target: SQS queues, Lambda functions and SNS topics can be delivered to. */
export function checkTarget(target: Target | undefined): StoredSchedule['target'] {
  const { Arn, RoleArn, Input, SqsParameters, RetryPolicy = {}, DeadLetterConfig } = target ?? {};
  if (target === undefined || Arn === undefined || !TARGET_ARN.test(Arn)) {
    throw invalid(
      `Provided Arn is not in correct format or not a target that is served here: ${String(Arn)}`,
    );
  }
  if (RoleArn === undefined || RoleArn === '') throw invalid('Target.RoleArn is required.');
  if (Arn.endsWith('.fifo') && SqsParameters?.MessageGroupId === undefined) {
    throw invalid('A FIFO queue as a target needs SqsParameters.MessageGroupId.');
  }
  if (Input !== undefined && Arn.includes(':lambda:')) {
    try {
      JSON.parse(Input);
    } catch {
      throw invalid('The input of a Lambda target must be valid JSON.');
    }
  }
  const { MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: age } = RetryPolicy;
  if (retries !== undefined && (retries < 0 || retries > MAXIMUM_RETRIES)) {
    throw invalid(`MaximumRetryAttempts must be between 0 and ${MAXIMUM_RETRIES}.`);
  }
  if (age !== undefined && (age < 60 || age > MAXIMUM_AGE_SECONDS)) {
    throw invalid(`MaximumEventAgeInSeconds must be between 60 and ${MAXIMUM_AGE_SECONDS}.`);
  }
  const deadLetterArn = DeadLetterConfig?.Arn;
  if (deadLetterArn !== undefined && !/^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]+$/.test(deadLetterArn)) {
    throw invalid('The dead-letter queue must be the ARN of a standard queue.');
  }
  return { ...target, Arn };
}

export const limitsOf = ({ RetryPolicy = {} }: Target): RetryLimits => ({
  maximumRetries: RetryPolicy.MaximumRetryAttempts ?? MAXIMUM_RETRIES,
  maximumAgeMs: (RetryPolicy.MaximumEventAgeInSeconds ?? MAXIMUM_AGE_SECONDS) * 1000,
});
