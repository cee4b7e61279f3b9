import type { Target } from '@aws-sdk/client-eventbridge';
import { ServiceError } from '../engine/service.ts';
import { compileInput, type Render } from './input.ts';
import type { RetryLimits } from './outbox.ts';
import { compilePattern, type Pattern } from './pattern/compile.ts';
import { parseSchedule, type Schedule } from './schedule/expression.ts';

export interface StoredRule {
  readonly bus: string;
  readonly name: string;
  readonly pattern?: string;
  readonly schedule?: string;
  readonly state: 'ENABLED' | 'DISABLED' | 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS';
  readonly description?: string;
  readonly roleArn?: string;
  readonly targets: readonly Target[];
  readonly tags: Readonly<Record<string, string>>;
  /** Rates count from here: when the rule was put or enabled. */
  readonly scheduledFromMs: number;
}

export interface CompiledTarget {
  readonly target: Target & { readonly Id: string; readonly Arn: string };
  readonly render: Render;
  readonly limits: RetryLimits;
}

/** A rule ready to run: nothing of it is parsed again for an event. */
export interface Rule {
  readonly stored: StoredRule;
  readonly arn: string;
  readonly pattern: Pattern | undefined;
  readonly schedule: Schedule | undefined;
  readonly targets: readonly CompiledTarget[];
}

const MAXIMUM_RETRIES = 185;
const MAXIMUM_AGE_SECONDS = 86_400;

export const isEnabled = ({ stored }: Rule): boolean => stored.state !== 'DISABLED';

/** Compiles a rule. Throws the service's own errors for what is malformed. */
export function compileRule(stored: StoredRule, arnPrefix: string): Rule {
  const path = stored.bus === 'default' ? stored.name : `${stored.bus}/${stored.name}`;
  return {
    stored,
    arn: `${arnPrefix}:rule/${path}`,
    pattern: stored.pattern === undefined ? undefined : compilePattern(stored.pattern),
    schedule: stored.schedule === undefined ? undefined : scheduleOf(stored.schedule),
    targets: stored.targets.map(compileTarget),
  };
}

function scheduleOf(expression: string): Schedule {
  const schedule = parseSchedule(expression);
  if (schedule === undefined || schedule.kind === 'at') {
    throw new ServiceError('ValidationException', 'Parameter ScheduleExpression is not valid.');
  }
  return schedule;
}

const refuse = (message: string): ServiceError => new ServiceError('ValidationException', message);

/** The targets that the embedded service can deliver to: SQS queues, Lambda functions and SNS topics. */
const TARGET_ARN = /^arn:aws[\w-]*:(?:sqs|lambda|sns):[\w-]+:\d{12}:\S+$/;

export function compileTarget(target: Target): CompiledTarget {
  const { Id, Arn, RetryPolicy = {}, SqsParameters, DeadLetterConfig } = target;
  if (Id === undefined || !/^[.\-\w]{1,64}$/.test(Id)) throw refuse(`Invalid target id: ${String(Id)}`);
  if (Arn === undefined || !TARGET_ARN.test(Arn)) {
    throw refuse(`Parameter ${String(Arn)} is not valid. Reason: Provided Arn is not in correct format.`);
  }
  if (Arn.includes(':sqs:') && Arn.endsWith('.fifo') && SqsParameters?.MessageGroupId === undefined) {
    throw refuse(`Parameter(s) MessageGroupId must be specified for target: ${Id}.`);
  }
  const retries = RetryPolicy.MaximumRetryAttempts ?? MAXIMUM_RETRIES;
  const ageSeconds = RetryPolicy.MaximumEventAgeInSeconds ?? MAXIMUM_AGE_SECONDS;
  if (retries < 0 || retries > MAXIMUM_RETRIES) {
    throw refuse(`MaximumRetryAttempts of target ${Id} must be between 0 and ${MAXIMUM_RETRIES}.`);
  }
  if (ageSeconds < 60 || ageSeconds > MAXIMUM_AGE_SECONDS) {
    throw refuse(`MaximumEventAgeInSeconds of target ${Id} must be between 60 and ${MAXIMUM_AGE_SECONDS}.`);
  }
  const deadLetterArn = DeadLetterConfig?.Arn;
  if (deadLetterArn !== undefined && !/^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]+$/.test(deadLetterArn)) {
    throw refuse(`The dead-letter queue of target ${Id} is not the ARN of a standard queue.`);
  }
  return {
    target: { ...target, Id, Arn },
    render: compileInput(target),
    limits: { maximumRetries: retries, maximumAgeMs: ageSeconds * 1000 },
  };
}
