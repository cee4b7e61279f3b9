import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../engine/faults.ts';
import { type EngineState, sqliteState } from '../engine/state.ts';
import { createEvents } from './engine.ts';
import { broken, gone, testDeliverer } from './testDeliverer.ts';
import { functionArn, queueArn, testEvents } from './testEvents.ts';

const orders = { EventPattern: '{"source":["shop"]}' };
const DAY_MS = 86_400_000;

describe('events on a bus', () => {
  it('reach the targets of matching rules at once, in the form of the real service', async () => {
    const { context, deliverer, rule, put } = testEvents();
    await rule('orders', orders);
    await rule('others', { EventPattern: '{"source":["shop"],"detail":{"id":[{"prefix":"x"}]}}' });
    const { Entries, FailedEntryCount } = await put({
      Detail: '{"id":"o-1","exact":12345678901234567890}',
      Resources: ['arn:1'],
      Time: new Date('2026-01-01T00:00:05.678Z'),
    });
    expect(FailedEntryCount).toBe(0);
    expect(deliverer.taken).toHaveLength(1);
    const [{ arn, body } = { arn: '', body: '' }] = deliverer.taken;
    expect(arn).toBe(functionArn('orders'));
    expect(body).toBe(
      `{"version":"0","id":"${Entries?.[0]?.EventId}","detail-type":"Order Placed","source":"shop",` +
        `"account":"000000000000","time":"2026-01-01T00:00:05Z","region":"us-east-1","resources":["arn:1"],` +
        `"detail":{"id":"o-1","exact":12345678901234567890}}`,
    );
    expect(context.clock.now()).toBe(Date.UTC(2026, 0, 1));
  });

  it('of AWS services match too, and disabled rules do not', async () => {
    const { events, deliverer, rule, call } = testEvents();
    await rule('ecs', { EventPattern: '{"source":["aws.ecs"]}' });
    const event = {
      source: 'aws.ecs',
      'detail-type': 'ECS Task State Change',
      detail: { n: 1 },
      resources: [],
    };
    events.emit(event);
    await call('DisableRule', { Name: 'ecs' });
    events.emit({ ...event, detail: { n: 2 } });
    await call('EnableRule', { Name: 'ecs' });
    events.emit({ ...event, detail: { n: 3 } });
    expect(deliverer.bodies(functionArn('ecs'))).toMatchObject([{ detail: { n: 1 } }, { detail: { n: 3 } }]);
  });

  it('stay on their bus; one that does not exist swallows them as the real service does', async () => {
    const { context, deliverer, call, put } = testEvents();
    await call('CreateEventBus', { Name: 'own' });
    await call('PutRule', { Name: 'r', EventBusName: 'own', ...orders });
    await call('PutTargets', {
      Rule: 'r',
      EventBusName: 'own',
      Targets: [{ Id: '1', Arn: functionArn('own') }],
    });
    await put({}, { EventBusName: 'own' });
    await put({ EventBusName: 'arn:aws:events:us-east-1:000000000000:event-bus/own' });
    expect(deliverer.taken).toHaveLength(2);
    expect(await put({ EventBusName: 'none' })).toMatchObject({ FailedEntryCount: 0 });
    expect(context.lines.at(-1)).toContain('no event bus none');
  });

  it('carry the message group of a FIFO queue', async () => {
    const { deliverer, rule, put } = testEvents();
    await rule('orders', orders, { Arn: queueArn('q.fifo'), SqsParameters: { MessageGroupId: 'g' } });
    await put({});
    expect(deliverer.taken).toMatchObject([{ arn: queueArn('q.fifo'), options: { messageGroupId: 'g' } }]);
  });
});

describe('a target that fails', () => {
  it('is tried again, less and less often, and gets the event when it works', async () => {
    const { context, events, deliverer, rule, put } = testEvents();
    await rule('orders', orders);
    deliverer.refusals.set(functionArn('orders'), broken);
    await put({});
    await context.clock.advance(3_600_000);
    expect(deliverer.calls).toBeGreaterThan(10);
    expect(deliverer.calls).toBeLessThan(40);
    expect(events.pending).toBe(1);
    deliverer.refusals.clear();
    await context.clock.advance(480_000);
    expect(deliverer.taken).toHaveLength(1);
    expect(events.pending).toBe(0);
    expect(context.clock.pending).toBe(0);
  });

  it('costs the event its life after a day, which a dead-letter queue records', async () => {
    const { context, events, deliverer, rule, put } = testEvents();
    const arn = await rule('orders', orders, { DeadLetterConfig: { Arn: queueArn('dead') } });
    deliverer.refusals.set(functionArn('orders'), broken);
    await put({});
    await context.clock.advance(DAY_MS);
    expect(events.pending).toBe(0);
    expect(deliverer.calls).toBeGreaterThan(150);
    const [dead] = deliverer.taken;
    expect(dead?.arn).toBe(queueArn('dead'));
    expect(JSON.parse(dead?.body ?? '')).toMatchObject({ source: 'shop', detail: { id: 'o-1' } });
    const text = (StringValue: unknown) => ({ DataType: 'String', StringValue });
    expect(dead?.options.messageAttributes).toEqual({
      RULE_ARN: text(arn),
      TARGET_ARN: text(functionArn('orders')),
      ERROR_CODE: text('ERROR_FROM_TARGET'),
      ERROR_MESSAGE: text('the target is down'),
      RETRY_ATTEMPTS: text(expect.stringMatching(/^\d+$/)),
      EXHAUSTED_RETRY_CONDITION: text(expect.stringMatching(/^Maximum(RetryAttempts|EventAgeInSeconds)$/)),
    });
  });

  it.each([
    [{ MaximumRetryAttempts: 2 }, 3, 'MaximumRetryAttempts'],
    [{ MaximumRetryAttempts: 0 }, 1, 'MaximumRetryAttempts'],
    [{ MaximumEventAgeInSeconds: 60 }, undefined, 'MaximumEventAgeInSeconds'],
  ])('is given up by the policy %o', async (RetryPolicy, calls, condition) => {
    const { context, deliverer, rule, put } = testEvents();
    await rule('orders', orders, { RetryPolicy, DeadLetterConfig: { Arn: queueArn('dead') } });
    deliverer.refusals.set(functionArn('orders'), broken);
    await put({});
    await context.clock.advance(DAY_MS);
    if (calls !== undefined) expect(deliverer.calls - 1).toBe(calls);
    const attributes = deliverer.taken[0]?.options.messageAttributes;
    expect(attributes?.EXHAUSTED_RETRY_CONDITION?.StringValue).toBe(condition);
  });

  it('is not tried again when it is gone', async () => {
    const { context, events, deliverer, rule, put } = testEvents();
    await rule('orders', orders, { DeadLetterConfig: { Arn: queueArn('dead') } });
    deliverer.refusals.set(functionArn('orders'), gone);
    await put({});
    await context.clock.advance(0);
    expect(events.pending).toBe(0);
    const attributes = deliverer.taken[0]?.options.messageAttributes;
    expect(attributes?.ERROR_CODE?.StringValue).toBe('NO_RESOURCE');
    expect(attributes?.EXHAUSTED_RETRY_CONDITION).toBeUndefined();
  });

  it('does not hold up the other targets, and a dead-letter queue that is gone is reported', async () => {
    const { context, events, deliverer, rule, put } = testEvents();
    await rule('a', orders, { DeadLetterConfig: { Arn: queueArn('dead') } });
    await rule('b', orders);
    deliverer.refusals.set(functionArn('a'), gone).set(queueArn('dead'), gone);
    await put({});
    await context.clock.advance(0);
    expect(deliverer.bodies(functionArn('b'))).toHaveLength(1);
    expect(events.pending).toBe(0);
    expect(context.lines.at(-1)).toContain('lost');
  });
});

describe('injected faults', () => {
  const withFault = (...faults: (Fault | undefined)[]) =>
    testEvents({
      faults: {
        at: (point, detail) =>
          point === 'events.deliver' && detail === 'orders' ? faults.shift() : undefined,
      },
    });

  it('deliver twice', async () => {
    const { context, deliverer, rule, put } = withFault({ kind: 'duplicate', copies: 1 });
    await rule('orders', orders);
    await put({});
    await context.clock.advance(0);
    const [first, second] = deliverer.taken;
    expect(deliverer.taken).toHaveLength(2);
    expect(first).toEqual(second);
  });

  it('deliver late', async () => {
    const delay: Fault = { kind: 'delay', delayMs: 5_000 };
    const { context, deliverer, rule, put } = withFault(delay, delay, delay);
    await rule('orders', orders);
    await put({});
    await context.clock.advance(4_999);
    expect(deliverer.taken).toHaveLength(0);
    await context.clock.advance(1);
    expect(deliverer.taken).toHaveLength(1);
  });

  it('deliver again after a lost answer or an error', async () => {
    const { context, deliverer, rule, put } = withFault(
      { kind: 'lost-answer' },
      { kind: 'error', code: 'Throttling', message: 'slow down', statusCode: 429 },
    );
    await rule('orders', orders);
    await put({});
    await context.clock.advance(10_000);
    expect(deliverer.taken).toHaveLength(2);
  });

  it('lose events of AWS services, which come by best effort, and never those of PutEvents', async () => {
    const drop: Fault = { kind: 'drop' };
    const { context, events, deliverer, rule, put } = withFault(drop, drop);
    await rule('orders', orders);
    await put({});
    events.emit({ source: 'shop', 'detail-type': 'x', detail: {}, resources: [] });
    await context.clock.advance(DAY_MS);
    expect(deliverer.taken).toHaveLength(1);
    expect(events.pending).toBe(0);
  });
});

describe('a killed process', () => {
  it('leaves its deliveries to the next one, which waits until its targets are in place', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'events-'));
    const state = (): EngineState => sqliteState(join(directory, 'state.db'));
    const before = testEvents({ state: state() });
    await before.rule('orders', orders);
    before.deliverer.refusals.set(functionArn('orders'), broken);
    await before.put({}, {});

    const deliverer = testDeliverer();
    const context = { ...before.context, state: state() };
    const after = createEvents(context, { deliverer });
    expect(after.pending).toBe(2);
    await context.clock.advance(60_000);
    expect(deliverer.calls).toBe(0);
    after.start();
    await context.clock.advance(480_000);
    expect(deliverer.bodies(functionArn('orders'))).toHaveLength(2);
    expect(after.pending).toBe(0);
    after.emit({ source: 'shop', 'detail-type': 'x', detail: {}, resources: [] });
    expect(deliverer.taken).toHaveLength(3);
    rmSync(directory, { recursive: true });
  });
});

describe('scheduled rules', () => {
  it('fire by rate and cron, only to their own targets', async () => {
    const { context, deliverer, rule, call } = testEvents();
    const arn = await rule('every', { ScheduleExpression: 'rate(5 minutes)' });
    await rule('daily', { ScheduleExpression: 'cron(30 0 * * ? *)' });
    await rule('listener', { EventPattern: '{"source":["aws.events"]}' });
    await context.clock.advance(3_600_000);
    expect(deliverer.bodies(functionArn('every'))).toHaveLength(12);
    expect(deliverer.bodies(functionArn('every'))[0]).toMatchObject({
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: '2026-01-01T00:05:00Z',
      resources: [arn],
      detail: {},
    });
    expect(deliverer.bodies(functionArn('daily'))).toMatchObject([{ time: '2026-01-01T00:30:00Z' }]);
    expect(deliverer.bodies(functionArn('listener'))).toHaveLength(0);
    await call('DisableRule', { Name: 'every' });
    await call('RemoveTargets', { Rule: 'daily', Ids: ['t'] });
    await call('DeleteRule', { Name: 'daily' });
    await context.clock.advance(DAY_MS);
    expect(deliverer.taken).toHaveLength(13);
    expect(context.clock.pending).toBe(0);
  });

  it('keep their phase over a restart', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'events-'));
    const state = (): EngineState => sqliteState(join(directory, 'state.db'));
    const before = testEvents({ state: state() });
    await before.rule('every', { ScheduleExpression: 'rate(5 minutes)' });
    await before.context.clock.advance(420_000);
    before.events.stop();
    const deliverer = testDeliverer();
    const context = { ...before.context, state: state() };
    createEvents(context, { deliverer }).start();
    await context.clock.advance(180_000);
    expect(deliverer.bodies(functionArn('every'))).toMatchObject([{ time: '2026-01-01T00:10:00Z' }]);
    rmSync(directory, { recursive: true });
  });
});
