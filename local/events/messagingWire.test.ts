import * as eventbridge from '@aws-sdk/client-eventbridge';
import * as schedulerSdk from '@aws-sdk/client-scheduler';
import * as snsSdk from '@aws-sdk/client-sns';
import * as sqsSdk from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../engine/clock.ts';
import type { EngineContext } from '../engine/service.ts';
import { testContext } from '../engine/testContext.ts';
import { createScheduler } from '../scheduler/engine.ts';
import { createSns } from '../sns/engine.ts';
import { createSqs, type Sqs } from '../sqs/engine.ts';
import { startWire, type Wire } from '../wire/server.ts';
import { createEvents } from './engine.ts';

/** The four messaging services behind one endpoint, as their SDK clients see them. */
describe('messaging over the wire', () => {
  let wire: Wire;
  let sqs: Sqs;
  let stop: () => void;
  let queues: sqsSdk.SQSClient;
  let events: eventbridge.EventBridgeClient;
  let topics: snsSdk.SNSClient;
  let schedules: schedulerSdk.SchedulerClient;

  beforeAll(async () => {
    const context: EngineContext = { ...testContext(), clock: systemClock };
    sqs = createSqs(context, { baseUrl: 'http://127.0.0.1:4566' });
    const deliverer = {
      deliver: async (arn: string, body: string, options = {}): Promise<void> =>
        arn.includes(':sns:') ? sns.publish(arn, body) : sqs.send(arn, body, options),
    };
    const bus = createEvents(context, { deliverer });
    const sns = createSns(context, { deliverer });
    const scheduler = createScheduler(context, { deliverer });
    const engines = [bus, sns, scheduler];
    for (const engine of engines) engine.start();
    stop = () => {
      for (const engine of [sqs, ...engines]) engine.stop();
    };
    wire = await startWire({
      port: 0,
      services: [
        { service: sqs.service, sdk: sqsSdk },
        { service: bus.service, sdk: eventbridge },
        { service: sns.service, sdk: snsSdk },
        { service: scheduler.service, sdk: schedulerSdk },
      ],
      log: () => {},
    });
    const options = {
      region: 'us-east-1',
      endpoint: wire.url,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    };
    queues = new sqsSdk.SQSClient(options);
    events = new eventbridge.EventBridgeClient(options);
    topics = new snsSdk.SNSClient(options);
    schedules = new schedulerSdk.SchedulerClient(options);
  });
  afterAll(async () => {
    for (const client of [queues, events, topics, schedules]) client.destroy();
    stop();
    await wire.close();
  });

  const makeQueue = async (QueueName: string): Promise<{ url: string; arn: string }> => {
    const { QueueUrl: url = '' } = await queues.send(new sqsSdk.CreateQueueCommand({ QueueName }));
    return { url, arn: `arn:aws:sqs:us-east-1:000000000000:${QueueName}` };
  };
  const poll = async (QueueUrl: string): Promise<sqsSdk.Message[]> => {
    const input = { QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
    const { Messages = [] } = await queues.send(new sqsSdk.ReceiveMessageCommand(input));
    return Messages;
  };

  it('SQS: bodies and digests that the SDK checks, binary attributes, typed errors', async () => {
    const { url } = await makeQueue('plain');
    const bytes = Uint8Array.of(0, 1, 254, 255);
    await queues.send(
      new sqsSdk.SendMessageCommand({
        QueueUrl: url,
        MessageBody: 'grüße <&> "x"',
        MessageAttributes: { b: { DataType: 'Binary', BinaryValue: bytes } },
      }),
    );
    const [message] = await poll(url);
    expect(message?.Body).toBe('grüße <&> "x"');
    expect([...(message?.MessageAttributes?.b?.BinaryValue ?? [])]).toEqual([...bytes]);
    const missing = queues.send(new sqsSdk.GetQueueUrlCommand({ QueueName: 'none' }));
    await expect(missing).rejects.toBeInstanceOf(sqsSdk.QueueDoesNotExist);
    await expect(missing).rejects.toMatchObject({ Code: 'AWS.SimpleQueueService.NonExistentQueue' });
  });

  it('EventBridge: an event is in a polled queue within milliseconds', async () => {
    const { url, arn } = await makeQueue('orders');
    const EventPattern = JSON.stringify({ source: ['shop'], detail: { n: [{ numeric: ['>', 1] }] } });
    await events.send(new eventbridge.PutRuleCommand({ Name: 'orders', EventPattern }));
    await events.send(
      new eventbridge.PutTargetsCommand({ Rule: 'orders', Targets: [{ Id: '1', Arn: arn }] }),
    );
    const put = (n: number): Promise<unknown> =>
      events.send(
        new eventbridge.PutEventsCommand({
          Entries: [{ Source: 'shop', DetailType: 'Order Placed', Detail: JSON.stringify({ n }) }],
        }),
      );
    const latenciesMs: number[] = [];
    for (let n = 0; n < 10; n++) {
      const polled = poll(url);
      await put(0);
      const startMs = performance.now();
      await put(2);
      const [message] = await polled;
      latenciesMs.push(performance.now() - startMs);
      expect(JSON.parse(message?.Body ?? '')).toMatchObject({ source: 'shop', detail: { n: 2 } });
      await queues.send(
        new sqsSdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }),
      );
    }
    // Three HTTP round trips included; a polling loop anywhere would add its interval to every one.
    const median = latenciesMs.sort((a, b) => a - b)[5];
    expect(median).toBeLessThan(50);
    await expect(
      events.send(new eventbridge.PutRuleCommand({ Name: 'bad', EventPattern: '{"a":5}' })),
    ).rejects.toBeInstanceOf(eventbridge.InvalidEventPatternException);
  });

  it('SNS: a published message is in the subscribed queue', async () => {
    const { url, arn } = await makeQueue('subscriber');
    const { TopicArn } = await topics.send(new snsSdk.CreateTopicCommand({ Name: 'alarms' }));
    await topics.send(
      new snsSdk.SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: arn,
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'test' } };
    await topics.send(new snsSdk.PublishCommand({ TopicArn, Message: 'hello', MessageAttributes }));
    expect(await poll(url)).toMatchObject([
      { Body: 'hello', MessageAttributes: { kind: { StringValue: 'test' } } },
    ]);
    await expect(
      topics.send(new snsSdk.PublishCommand({ TopicArn: `${TopicArn}x`, Message: 'hello' })),
    ).rejects.toBeInstanceOf(snsSdk.NotFoundException);
  });

  it('Scheduler: a schedule that is due delivers', async () => {
    const { url, arn } = await makeQueue('due');
    const Name = 'now';
    await schedules.send(
      new schedulerSdk.CreateScheduleCommand({
        Name,
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          Arn: arn,
          RoleArn: 'arn:aws:iam::000000000000:role/r',
          Input: '<aws.scheduler.schedule-arn>',
        },
      }),
    );
    const { Arn, CreationDate } = await schedules.send(new schedulerSdk.GetScheduleCommand({ Name }));
    expect(CreationDate).toBeInstanceOf(Date);
    expect(await poll(url)).toMatchObject([{ Body: Arn }]);
    await expect(
      schedules.send(new schedulerSdk.GetScheduleCommand({ Name: 'none' })),
    ).rejects.toBeInstanceOf(schedulerSdk.ResourceNotFoundException);
  });
});
