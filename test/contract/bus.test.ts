import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import * as eventsSdk from '@aws-sdk/client-eventbridge';
import type { SQSClient } from '@aws-sdk/client-sqs';
import * as sqsSdk from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { createBus } from '../../layers/aws/bus.ts';
import { parseWake } from '../../layers/events/wake.ts';
import type { Bus } from '../../layers/ports/bus.ts';
import { testContext } from '../../local/engine/testContext.ts';
import { functionArn, type TestEvents, testEvents } from '../../local/events/testEvents.ts';
import { type TestSqs, testSqs } from '../../local/sqs/testSqs.ts';
import { inProcessClient } from '../../local/wire/inProcessClient.ts';

/** What the bus port promises, held by the adapter over the embedded EventBridge and SQS. */

let sqs: TestSqs;
let events: TestEvents;
let bus: Bus;
let urls: { readonly wake: string; readonly late: string; readonly provision: string };

beforeEach(async () => {
  const context = testContext();
  sqs = testSqs(context);
  events = testEvents(context);
  const queue = async (name: string): Promise<string> => (await sqs.queue(name)).url;
  urls = {
    wake: await queue('wake.fifo'),
    late: await queue('late'),
    provision: await queue('provision.fifo'),
  };
  await events.call('CreateEventBus', { Name: 'berth' });
  let ids = 0;
  bus = createBus({
    events: inProcessClient<EventBridgeClient>({ service: events.events.service, sdk: eventsSdk }),
    sqs: inProcessClient<SQSClient>({ service: sqs.sqs.service, sdk: sqsSdk }),
    busName: 'berth',
    wakeQueueUrl: urls.wake,
    lateWakeQueueUrl: urls.late,
    provisionQueueUrl: urls.provision,
    clock: context.clock,
    ids: { next: () => `id${++ids}` },
    sleep: async () => {},
  });
});

/** Receives and deletes: what a pass that has done its work leaves behind. */
async function consume(url: string) {
  const messages = await sqs.receive(url, { MaxNumberOfMessages: 10 });
  for (const { ReceiptHandle } of messages) await sqs.call('DeleteMessage', { QueueUrl: url, ReceiptHandle });
  return messages.map(({ Body = '' }) => parseWake(Body));
}

describe('waking', () => {
  it('reaches the scheduler each time, although the same was said and consumed a moment ago', async () => {
    const wake = { cluster: 'demo', reason: 'a task came', taskIds: ['t1'] };
    for (let time = 0; time < 3; time += 1) {
      await bus.wake('demo', 'a task came', { taskIds: ['t1'] });
      expect(await consume(urls.wake)).toEqual([wake]);
    }
  });

  it('keeps one cluster waiting for its pass and lets another go on', async () => {
    await bus.wake('demo', 'first');
    await bus.wake('demo', 'second');
    await bus.wake('other', 'first');
    const inFlight = await sqs.receive(urls.wake, { MaxNumberOfMessages: 1 });
    expect(inFlight.map(({ Body = '' }) => parseWake(Body)?.cluster)).toEqual(['demo']);
    expect((await consume(urls.wake)).map((wake) => wake?.cluster)).toEqual(['other']);
    expect(await consume(urls.wake)).toEqual([]);
  });

  it('comes late when it was asked to', async () => {
    await bus.wake('demo', 'a back-off ends', { delayMs: 4_500 });
    await sqs.context.clock.advance(4_000);
    expect(await consume(urls.late)).toEqual([]);
    await sqs.context.clock.advance(1_000);
    expect(await consume(urls.late)).toEqual([{ cluster: 'demo', reason: 'a back-off ends', taskIds: [] }]);
    expect(await consume(urls.wake)).toEqual([]);
  });

  it('asks for capacity on a queue of its own', async () => {
    await bus.provision('demo', 'no room', { taskIds: ['t1'] });
    expect(await consume(urls.provision)).toEqual([{ cluster: 'demo', reason: 'no room', taskIds: ['t1'] }]);
  });
});

describe('publishing', () => {
  it('reaches the rules of the bus, as berth', async () => {
    await events.call('PutRule', {
      Name: 'all',
      EventBusName: 'berth',
      EventPattern: '{"source":["berth"],"detail-type":["Task Accepted"]}',
    });
    await events.call('PutTargets', {
      Rule: 'all',
      EventBusName: 'berth',
      Targets: [{ Id: 't', Arn: functionArn('consumer') }],
    });
    const details = Array.from({ length: 23 }, (_, ordinal) => ({ taskId: `t${ordinal}` }));
    await bus.publish(
      details.map((detail) => ({ detailType: 'Task Accepted', detail, resources: ['arn:x'] })),
    );
    await events.context.clock.advance(1_000);
    const received = events.deliverer.bodies(functionArn('consumer')) as Record<string, unknown>[];
    expect(received.map(({ detail }) => detail)).toEqual(details);
    expect(received[0]).toMatchObject({
      source: 'berth',
      'detail-type': 'Task Accepted',
      resources: ['arn:x'],
    });
  });
});
