import type { PublishBatchResponse } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { memoryState } from '../engine/state.ts';
import { invoke, testContext } from '../engine/testContext.ts';
import { broken, gone, testDeliverer } from '../events/testDeliverer.ts';
import { createSns } from './engine.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:q';
const DEAD = 'arn:aws:sqs:us-east-1:000000000000:dead';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const TOPIC = 'arn:aws:sns:us-east-1:000000000000:alarms';

function testSns(state = memoryState()) {
  const context = testContext({ state });
  const deliverer = testDeliverer();
  const sns = createSns(context, { deliverer });
  sns.start();
  const call = <Output = Record<string, unknown>>(operation: string, input: unknown = {}): Promise<Output> =>
    invoke<Output>(sns.service, operation, input);
  return {
    context,
    deliverer,
    sns,
    call,
    async subscribe(
      Protocol: string,
      Endpoint: string,
      Attributes: Record<string, string> = {},
    ): Promise<string> {
      await call('CreateTopic', { Name: 'alarms' });
      const input = { TopicArn: TOPIC, Protocol, Endpoint, Attributes };
      const { SubscriptionArn } = await call<{ SubscriptionArn: string }>('Subscribe', input);
      return SubscriptionArn;
    },
    publish: (Message: string, more: object = {}) => call('Publish', { TopicArn: TOPIC, Message, ...more }),
  };
}

const text = (StringValue: string) => ({ DataType: 'String', StringValue });

describe('publishing', () => {
  it('wraps a message for a queue', async () => {
    const { deliverer, subscribe, publish } = testSns();
    await subscribe('sqs', QUEUE);
    const { MessageId } = await publish('hello', { Subject: 'S', MessageAttributes: { a: text('1') } });
    expect(deliverer.bodies(QUEUE)).toEqual([
      {
        Type: 'Notification',
        MessageId,
        TopicArn: TOPIC,
        Subject: 'S',
        Message: 'hello',
        Timestamp: '2026-01-01T00:00:00.000Z',
        SignatureVersion: '1',
        Signature: 'unsigned',
        SigningCertURL: expect.any(String),
        UnsubscribeURL: expect.stringContaining('Unsubscribe'),
        MessageAttributes: { a: { Type: 'String', Value: '1' } },
      },
    ]);
  });

  it('gives it raw with its attributes where the subscription says so', async () => {
    const { deliverer, subscribe, publish } = testSns();
    await subscribe('sqs', QUEUE, { RawMessageDelivery: 'true' });
    const MessageAttributes = { a: text('1'), b: { DataType: 'Binary', BinaryValue: Uint8Array.of(1, 255) } };
    await publish('hello', { MessageAttributes });
    expect(deliverer.taken).toEqual([
      {
        arn: QUEUE,
        body: 'hello',
        options: {
          messageAttributes: { a: text('1'), b: { DataType: 'Binary', BinaryValue: Buffer.of(1, 255) } },
        },
      },
    ]);
  });

  it('invokes a function with a record', async () => {
    const { deliverer, sns, subscribe } = testSns();
    const arn = await subscribe('lambda', FUNCTION);
    sns.publish(TOPIC, '{"AlarmName":"a"}');
    expect(deliverer.bodies(FUNCTION)).toMatchObject([
      {
        Records: [
          {
            EventSource: 'aws:sns',
            EventVersion: '1.0',
            EventSubscriptionArn: arn,
            Sns: {
              Type: 'Notification',
              TopicArn: TOPIC,
              Subject: null,
              Message: '{"AlarmName":"a"}',
              MessageAttributes: {},
            },
          },
        ],
      },
    ]);
  });

  it('takes the text of each protocol from a JSON message', async () => {
    const { deliverer, subscribe, publish } = testSns();
    await subscribe('sqs', QUEUE, { RawMessageDelivery: 'true' });
    await subscribe('lambda', FUNCTION);
    await publish('{"default":"d","lambda":"l"}', { MessageStructure: 'json' });
    expect(deliverer.taken[0]?.body).toBe('d');
    expect(deliverer.bodies(FUNCTION)).toMatchObject([{ Records: [{ Sns: { Message: 'l' } }] }]);
    await expect(publish('{"lambda":"l"}', { MessageStructure: 'json' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
  });

  it('sends only what passes the filter, by attributes or by body', async () => {
    const { deliverer, subscribe, publish } = testSns();
    await subscribe('sqs', QUEUE, {
      RawMessageDelivery: 'true',
      FilterPolicy: '{"size":[{"numeric":[">",5]}],"tags":["x"]}',
    });
    await subscribe('lambda', FUNCTION, {
      FilterPolicyScope: 'MessageBody',
      FilterPolicy: '{"a":{"b":["c"]}}',
    });
    const attributes = (size: string, tags: string) => ({
      MessageAttributes: {
        size: { DataType: 'Number', StringValue: size },
        tags: { DataType: 'String.Array', StringValue: tags },
      },
    });
    await publish('one', attributes('6', '["x","y"]'));
    await publish('two', attributes('5', '["x"]'));
    await publish('three', attributes('6', '["y"]'));
    await publish('four');
    await publish('{"a":{"b":"c"}}');
    expect(deliverer.taken.filter(({ arn }) => arn === QUEUE).map(({ body }) => body)).toEqual(['one']);
    expect(deliverer.bodies(FUNCTION)).toHaveLength(1);
  });

  it('tries a failing subscriber again, and redrives what is refused for good', async () => {
    const { context, deliverer, sns, subscribe, publish } = testSns();
    await subscribe('sqs', QUEUE, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: DEAD }) });
    await subscribe('lambda', FUNCTION);
    deliverer.refusals.set(QUEUE, gone).set(FUNCTION, broken);
    await publish('x');
    await context.clock.advance(60_000);
    expect(deliverer.bodies(DEAD)).toMatchObject([{ Message: 'x' }]);
    expect(sns.pending).toBe(1);
    deliverer.refusals.clear();
    await context.clock.advance(20_000);
    expect(deliverer.bodies(FUNCTION)).toHaveLength(1);
    expect(sns.pending).toBe(0);
  });

  it('in a batch answers for each entry', async () => {
    const { deliverer, subscribe, call } = testSns();
    await subscribe('sqs', QUEUE, { RawMessageDelivery: 'true' });
    const batch = (PublishBatchRequestEntries: unknown): Promise<PublishBatchResponse> =>
      call('PublishBatch', { TopicArn: TOPIC, PublishBatchRequestEntries });
    const { Successful, Failed } = await batch([
      { Id: '1', Message: 'a' },
      { Id: '2', Message: '' },
    ]);
    expect(Successful).toMatchObject([{ Id: '1' }]);
    expect(Failed).toMatchObject([{ Id: '2', Code: 'InvalidParameter', SenderFault: true }]);
    expect(deliverer.taken).toHaveLength(1);
    await expect(batch([])).rejects.toMatchObject({ code: 'EmptyBatchRequestException' });
    const eleven = Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, Message: 'x' }));
    await expect(batch(eleven)).rejects.toMatchObject({ code: 'TooManyEntriesInBatchRequestException' });
    const heavy = ['1', '2'].map((Id) => ({ Id, Message: 'x'.repeat(200_000) }));
    await expect(batch(heavy)).rejects.toMatchObject({ code: 'BatchRequestTooLongException' });
    expect(deliverer.taken).toHaveLength(1);
  });

  it.each([
    [{ Message: '' }],
    [{ Message: 'x'.repeat(262_145) }],
    [{ Message: 'x', PhoneNumber: '+1' }],
    [{ Message: 'x', MessageAttributes: { a: { DataType: 'Odd', StringValue: 'v' } } }],
    [{ Message: 'x', MessageAttributes: { a: { DataType: 'String' } } }],
  ])('%o is refused', async (input) => {
    const { subscribe, call } = testSns();
    await subscribe('sqs', QUEUE);
    await expect(call('Publish', { TopicArn: TOPIC, ...input })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
  });
});

describe('topics and subscriptions', () => {
  it('outlive the process with the deliveries under way', async () => {
    const before = testSns();
    await before.subscribe('sqs', QUEUE, { RawMessageDelivery: 'true', FilterPolicy: '{"a":["1"]}' });
    before.deliverer.refusals.set(QUEUE, broken);
    await before.publish('under way', { MessageAttributes: { a: text('1') } });
    await before.context.clock.advance(0);
    const after = testSns(before.context.state);
    await after.publish('later', { MessageAttributes: { a: text('1') } });
    await after.publish('filtered');
    await after.context.clock.advance(20_000);
    expect(after.deliverer.taken.map(({ body }) => body).sort()).toEqual(['later', 'under way']);
  });

  it('are created once, listed and removed', async () => {
    const { context, call, subscribe, publish, deliverer } = testSns();
    expect(await call('CreateTopic', { Name: 'alarms', Tags: [{ Key: 'a', Value: '1' }] })).toEqual({
      TopicArn: TOPIC,
    });
    expect(await call('CreateTopic', { Name: 'alarms' })).toEqual({ TopicArn: TOPIC });
    const first = await subscribe('sqs', QUEUE);
    expect(await subscribe('sqs', QUEUE)).toBe(first);
    const second = await subscribe('lambda', FUNCTION);
    expect(await call('ListTopics')).toMatchObject({ Topics: [{ TopicArn: TOPIC }] });
    const listed = await call<{ Subscriptions: { SubscriptionArn: string }[] }>('ListSubscriptionsByTopic', {
      TopicArn: TOPIC,
    });
    expect(new Set(listed.Subscriptions.map(({ SubscriptionArn }) => SubscriptionArn))).toEqual(
      new Set([first, second]),
    );
    await call('SetSubscriptionAttributes', {
      SubscriptionArn: first,
      AttributeName: 'RawMessageDelivery',
      AttributeValue: 'true',
    });
    expect(await call('GetSubscriptionAttributes', { SubscriptionArn: first })).toMatchObject({
      Attributes: { RawMessageDelivery: 'true', Endpoint: QUEUE, PendingConfirmation: 'false' },
    });
    await call('Unsubscribe', { SubscriptionArn: second });
    await publish('x');
    expect(deliverer.taken).toHaveLength(1);
    expect(await call('GetTopicAttributes', { TopicArn: TOPIC })).toMatchObject({
      Attributes: { SubscriptionsConfirmed: '1' },
    });
    expect(await call('ListTagsForResource', { ResourceArn: TOPIC })).toEqual({
      Tags: [{ Key: 'a', Value: '1' }],
    });
    await call('DeleteTopic', { TopicArn: TOPIC });
    expect(await call('ListSubscriptions')).toMatchObject({ Subscriptions: [] });
    await expect(publish('x')).rejects.toMatchObject({ code: 'NotFoundException', statusCode: 404 });
    expect(context.clock.pending).toBe(0);
  });

  it.each([
    ['CreateTopic', { Name: 'a b' }],
    ['CreateTopic', { Name: 'a.fifo', Attributes: { FifoTopic: 'true' } }],
    ['Subscribe', { TopicArn: TOPIC, Protocol: 'email', Endpoint: 'a@b' }],
    ['Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: FUNCTION }],
    ['Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: `${QUEUE}.fifo` }],
    [
      'Subscribe',
      { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: QUEUE, Attributes: { FilterPolicy: '{"a":5}' } },
    ],
    ['Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: QUEUE, Attributes: { Odd: '1' } }],
    ['Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: QUEUE, Attributes: { RedrivePolicy: '{}' } }],
  ])('%s %o is refused', async (operation, input) => {
    const { call } = testSns();
    await call('CreateTopic', { Name: 'alarms' });
    await expect(call(operation, input)).rejects.toMatchObject({ code: 'InvalidParameterException' });
    expect(await call('ListSubscriptions')).toMatchObject({ Subscriptions: [] });
  });
});
