import type { GetScheduleOutput, ListSchedulesOutput, Target } from '@aws-sdk/client-scheduler';
import { describe, expect, it } from 'vitest';
import { memoryState } from '../engine/state.ts';
import { invoke, type TestContext, testContext } from '../engine/testContext.ts';
import { broken, gone, testDeliverer } from '../events/testDeliverer.ts';
import { createScheduler } from './engine.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const DEAD = 'arn:aws:sqs:us-east-1:000000000000:dead';
const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

function testScheduler(over: Partial<TestContext> = {}) {
  const context = testContext(over);
  const deliverer = testDeliverer();
  const scheduler = createScheduler(context, { deliverer });
  const call = <Output = Record<string, unknown>>(operation: string, input: unknown = {}): Promise<Output> =>
    invoke<Output>(scheduler.service, operation, input);
  const base = (ScheduleExpression: string, target: Partial<Target> = {}) => ({
    Name: 's',
    ScheduleExpression,
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { Arn: FUNCTION, RoleArn: 'arn:aws:iam::000000000000:role/r', ...target },
  });
  scheduler.start();
  return {
    context,
    deliverer,
    scheduler,
    call,
    base,
    create: (expression: string, more: object = {}, target: Partial<Target> = {}) =>
      call('CreateSchedule', { ...base(expression, target), ...more }),
    /** Delivered bodies with the virtual time of their delivery, in minutes from the start. */
    minutes(): number[] {
      return deliverer.taken.map(({ body }) => (Date.parse(JSON.parse(body).time) - START_MS) / 60_000);
    },
  };
}

describe('a schedule', () => {
  it('runs at its time once, and sends the default payload', async () => {
    const { context, scheduler, deliverer, create } = testScheduler();
    const { ScheduleArn } = await create('at(2026-01-01T02:00:00)');
    expect(ScheduleArn).toBe('arn:aws:scheduler:us-east-1:000000000000:schedule/default/s');
    await context.clock.advance(2 * HOUR_MS - 1);
    expect(deliverer.taken).toHaveLength(0);
    await context.clock.advance(1);
    expect(deliverer.bodies(FUNCTION)).toEqual([
      {
        version: '0',
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        'detail-type': 'Scheduled Event',
        source: 'aws.scheduler',
        account: '000000000000',
        time: '2026-01-01T02:00:00Z',
        region: 'us-east-1',
        resources: [ScheduleArn],
        detail: '{}',
      },
    ]);
    await context.clock.advance(100 * HOUR_MS);
    expect(deliverer.taken).toHaveLength(1);
    expect(scheduler.pending).toBe(0);
    expect(context.clock.pending).toBe(0);
  });

  it('runs at a rate from now on, or from its start date to its end date', async () => {
    const plain = testScheduler();
    await plain.create('rate(20 minutes)');
    await plain.context.clock.advance(HOUR_MS);
    expect(plain.minutes()).toEqual([0, 20, 40, 60]);
    const bounded = testScheduler();
    await bounded.create('rate(20 minutes)', {
      StartDate: new Date(START_MS + 30 * 60_000),
      EndDate: new Date(START_MS + 75 * 60_000),
    });
    await bounded.context.clock.advance(3 * HOUR_MS);
    expect(bounded.minutes()).toEqual([30, 50, 70]);
  });

  it('runs by cron in its own time zone', async () => {
    const { context, create, minutes } = testScheduler();
    await create('cron(0 9 * * ? *)', { ScheduleExpressionTimezone: 'America/New_York' });
    await context.clock.advance(48 * HOUR_MS);
    expect(minutes()).toEqual([14 * 60, 38 * 60]);
  });

  it('fills the context attributes anew for every attempt', async () => {
    const { context, deliverer, create } = testScheduler();
    const Input =
      '{"arn":"<aws.scheduler.schedule-arn>","at":"<aws.scheduler.scheduled-time>","n":<aws.scheduler.attempt-number>,"id":"<aws.scheduler.execution-id>"}';
    await expect(create('at(2026-01-01T00:10:00)', {}, { Input })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    await create(
      'at(2026-01-01T00:10:00)',
      {},
      { Input: Input.replace('<aws.scheduler.attempt-number>', '"<aws.scheduler.attempt-number>"') },
    );
    deliverer.refusals.set(FUNCTION, broken);
    await context.clock.advance(600_000);
    deliverer.refusals.clear();
    await context.clock.advance(2000);
    expect(deliverer.bodies(FUNCTION)).toEqual([
      {
        arn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/s',
        at: '2026-01-01T00:10:00Z',
        n: '2',
        id: expect.stringMatching(/^[\da-f]{16}$/),
      },
    ]);
  });

  it('sends what its target refuses to the dead-letter queue', async () => {
    const { context, deliverer, create } = testScheduler();
    await create(
      'at(2026-01-01T00:10:00)',
      {},
      { Input: '{"n":"<aws.scheduler.attempt-number>"}', DeadLetterConfig: { Arn: DEAD } },
    );
    deliverer.refusals.set(FUNCTION, gone);
    await context.clock.advance(600_000);
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    expect(deliverer.taken).toEqual([
      {
        arn: DEAD,
        body: '{"n":"1"}',
        options: {
          messageAttributes: {
            SCHEDULE_ARN: text('arn:aws:scheduler:us-east-1:000000000000:schedule/default/s'),
            SCHEDULED_TIME: text('2026-01-01T00:10:00Z'),
            TARGET_ARN: text(FUNCTION),
            ERROR_CODE: text('ResourceNotFoundException'),
            ERROR_MESSAGE: text('there is no such function'),
            RETRY_ATTEMPTS: text('0'),
            IS_PAYLOAD_TRUNCATED: text('false'),
          },
        },
      },
    ]);
  });

  it('keeps within its flexible window', async () => {
    const { context, deliverer, create } = testScheduler();
    await create('at(2026-01-01T01:00:00)', {
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 30 },
    });
    await context.clock.advance(HOUR_MS - 1);
    expect(deliverer.taken).toHaveLength(0);
    await context.clock.advance(30 * 60_000 + 1);
    expect(deliverer.bodies(FUNCTION)).toMatchObject([{ time: '2026-01-01T01:00:00Z' }]);
  });

  it('goes when it is done, where it says so', async () => {
    const { context, call, create } = testScheduler();
    await create('at(2026-01-01T01:00:00)', { ActionAfterCompletion: 'DELETE' });
    await create('rate(1 hour)', {
      Name: 'r',
      ActionAfterCompletion: 'DELETE',
      EndDate: new Date(START_MS + 2 * HOUR_MS),
    });
    await create('at(2026-01-01T01:00:00)', { Name: 'kept' });
    await context.clock.advance(HOUR_MS);
    const names = async (): Promise<unknown> =>
      (await call<ListSchedulesOutput>('ListSchedules')).Schedules?.map(({ Name }) => Name);
    expect(await names()).toEqual(['kept', 'r']);
    await context.clock.advance(2 * HOUR_MS);
    expect(await names()).toEqual(['kept']);
  });

  it('can be changed, disabled and deleted', async () => {
    const { context, call, base, create, minutes } = testScheduler();
    await create('at(2026-01-01T01:00:00)');
    await call('UpdateSchedule', base('at(2026-01-01T03:00:00)'));
    await context.clock.advance(2 * HOUR_MS);
    expect(minutes()).toEqual([]);
    await context.clock.advance(2 * HOUR_MS);
    expect(minutes()).toEqual([180]);
    await call('UpdateSchedule', { ...base('at(2026-01-01T03:00:00)'), Description: 'has run' });
    await context.clock.advance(HOUR_MS);
    expect(minutes()).toEqual([180]);
    await call('UpdateSchedule', { ...base('rate(1 hour)'), State: 'DISABLED' });
    await context.clock.advance(2 * HOUR_MS);
    await call('UpdateSchedule', base('rate(1 hour)'));
    await context.clock.advance(HOUR_MS);
    expect(minutes()).toEqual([180, 420, 480]);
    await call('DeleteSchedule', { Name: 's' });
    await context.clock.advance(10 * HOUR_MS);
    expect(minutes()).toHaveLength(3);
    await expect(call('GetSchedule', { Name: 's' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      statusCode: 404,
    });
  });

  it('that fell due while the process was down runs late, once', async () => {
    const state = memoryState();
    const before = testScheduler({ state });
    await before.create('at(2026-01-01T01:00:00)');
    await before.create('rate(30 minutes)', { Name: 'r' });
    await before.create('at(2026-01-01T00:10:00)', { Name: 'has-run' });
    await before.context.clock.advance(45 * 60_000);
    before.scheduler.stop();
    const { clock } = before.context;
    await clock.advance(5 * HOUR_MS);
    const after = testScheduler({ state, clock });
    await clock.advance(0);
    expect(after.minutes().sort()).toEqual([60, 60]);
    await clock.advance(30 * 60_000);
    expect(after.minutes()).toEqual([60, 60, 360]);
  });
});

describe('schedule operations', () => {
  it('show what was created', async () => {
    const { context, call, create } = testScheduler();
    const created = await create('rate(5 minutes)', {
      Description: 'd',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      StartDate: new Date(START_MS + HOUR_MS),
      ClientToken: 'token',
    });
    expect(await call<GetScheduleOutput>('GetSchedule', { Name: 's' })).toEqual({
      Arn: created.ScheduleArn,
      Name: 's',
      GroupName: 'default',
      State: 'ENABLED',
      Description: 'd',
      ScheduleExpression: 'rate(5 minutes)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      StartDate: new Date(START_MS + HOUR_MS),
      EndDate: undefined,
      CreationDate: new Date(context.clock.now()),
      LastModificationDate: new Date(context.clock.now()),
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'NONE',
      Target: { Arn: FUNCTION, RoleArn: 'arn:aws:iam::000000000000:role/r' },
    });
    expect(await create('rate(5 minutes)', { ClientToken: 'token' })).toEqual(created);
    await expect(create('rate(5 minutes)')).rejects.toMatchObject({
      code: 'ConflictException',
      statusCode: 409,
    });
  });

  it.each<[string, object, Partial<Target>]>([
    ['rate(1 minutes)', {}, {}],
    ['at(tomorrow)', {}, {}],
    ['cron(* * * * * *)', {}, {}],
    ['rate(1 hour)', { ScheduleExpressionTimezone: 'Mars' }, {}],
    ['rate(1 hour)', { Name: 'a b' }, {}],
    ['rate(1 hour)', { FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }, {}],
    ['rate(1 hour)', { StartDate: new Date(2), EndDate: new Date(1) }, {}],
    ['rate(1 hour)', {}, { Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage' }],
    ['rate(1 hour)', {}, { RoleArn: undefined }],
    ['rate(1 hour)', {}, { Arn: `${DEAD}.fifo` }],
    ['rate(1 hour)', {}, { Input: '{' }],
    ['rate(1 hour)', {}, { RetryPolicy: { MaximumRetryAttempts: 186 } }],
    ['rate(1 hour)', {}, { RetryPolicy: { MaximumEventAgeInSeconds: 1 } }],
    ['rate(1 hour)', {}, { DeadLetterConfig: { Arn: FUNCTION } }],
  ])('refuse %s %o %o', async (expression, more, target) => {
    const { call, create } = testScheduler();
    await expect(create(expression, more, target)).rejects.toMatchObject({ code: 'ValidationException' });
    expect(await call('ListSchedules')).toMatchObject({ Schedules: [] });
  });

  it('keep schedules in groups', async () => {
    const { call, create } = testScheduler();
    await expect(create('rate(1 hour)', { GroupName: 'g' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await call('CreateScheduleGroup', { Name: 'g' });
    await expect(call('CreateScheduleGroup', { Name: 'g' })).rejects.toMatchObject({
      code: 'ConflictException',
    });
    await create('rate(1 hour)', { GroupName: 'g' });
    await create('rate(1 hour)', { Name: 'other' });
    expect(await call('ListSchedules', { GroupName: 'g' })).toMatchObject({
      Schedules: [{ Name: 's', GroupName: 'g' }],
    });
    expect(await call('ListSchedules', { NamePrefix: 'o' })).toMatchObject({
      Schedules: [{ Name: 'other' }],
    });
    expect(await call('GetScheduleGroup', { Name: 'g' })).toMatchObject({ State: 'ACTIVE' });
    await call('DeleteScheduleGroup', { Name: 'g' });
    expect(await call('ListSchedules')).toMatchObject({ Schedules: [{ Name: 'other' }] });
    expect(await call('ListScheduleGroups')).toMatchObject({ ScheduleGroups: [{ Name: 'default' }] });
  });
});
