import type { Deliverer, EngineContext, Service } from '../engine/service.ts';
import { uuidOf } from '../engine/uuid.ts';
import { Outbox, type Shipment } from '../events/outbox.ts';
import { Groups } from './groups.ts';
import { scheduleOperations } from './operations.ts';
import { limitsOf, type StoredSchedule } from './schedule.ts';
import { Timetable } from './timetable.ts';

/** EventBridge Scheduler. */
export interface Scheduler {
  readonly service: Service;
  /** Deliveries that no target has taken yet. */
  readonly pending: number;
  /** Begins to run schedules and to deliver; to be called when every target is in place. */
  start(): void;
  stop(): void;
}

const LONGEST_WAIT_MS = 480_000;

/** Schedules with queues, functions and topics as targets. Faults: `scheduler.deliver` with the schedule's name. */
export function createScheduler(
  context: EngineContext,
  { deliverer }: { readonly deliverer: Deliverer },
): Scheduler {
  const outbox = new Outbox(context, {
    name: 'scheduler.deliveries',
    deliverer,
    faultPoint: 'scheduler.deliver',
    longestWaitMs: LONGEST_WAIT_MS,
    bodyOf: (shipment) => fillAttempt(shipment, context.hex(16)),
    describe: ({ targetArn, failures }, { code, message }, exhausted) => ({
      TARGET_ARN: targetArn,
      ERROR_CODE: code,
      ERROR_MESSAGE: message || code,
      RETRY_ATTEMPTS: String(failures),
      IS_PAYLOAD_TRUNCATED: 'false',
      ...(exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    }),
  });
  const timetable = new Timetable(context, (schedule, atMs) => {
    const { target, arn, name } = schedule;
    const time = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
    const template = target.Input ?? defaultPayload(context, schedule, time);
    outbox.ship({
      targetArn: target.Arn,
      body: template
        .replaceAll('<aws.scheduler.schedule-arn>', arn)
        .replaceAll('<aws.scheduler.scheduled-time>', time),
      limits: limitsOf(target),
      faultDetail: name,
      ...(target.SqsParameters?.MessageGroupId !== undefined && {
        messageGroupId: target.SqsParameters.MessageGroupId,
      }),
      ...(target.DeadLetterConfig?.Arn !== undefined && {
        deadLetter: {
          arn: target.DeadLetterConfig.Arn,
          attributes: { SCHEDULE_ARN: arn, SCHEDULED_TIME: time },
        },
      }),
    });
  });
  const groups = new Groups(context, timetable);
  return {
    service: {
      signingName: 'scheduler',
      operations: { ...scheduleOperations(context, timetable, groups), ...groups.operations() },
    },
    get pending() {
      return outbox.size;
    },
    start() {
      outbox.start();
      timetable.start();
    },
    stop() {
      timetable.stop();
      outbox.stop();
    },
  };
}

/** The context attributes that differ from attempt to attempt. */
const fillAttempt = ({ body, failures }: Shipment, executionId: string): string =>
  body
    .replaceAll('<aws.scheduler.execution-id>', executionId)
    .replaceAll('<aws.scheduler.attempt-number>', String(failures + 1));

/** What a target without an Input receives; its detail is text, not an object. */
function defaultPayload(context: EngineContext, { arn }: StoredSchedule, time: string): string {
  return JSON.stringify({
    version: '0',
    id: uuidOf(context.hex(32)),
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: context.accountId,
    time,
    region: context.region,
    resources: [arn],
    detail: '{}',
  });
}
