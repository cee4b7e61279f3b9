import type {
  ListMessageMoveTasksResult,
  ListQueuesResult,
  StartMessageMoveTaskResult,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { BASE_URL, testSqs } from './testSqs.ts';

describe('queue operations', () => {
  it('create: the URL, the defaults, and the same again for the same attributes', async () => {
    const { context, queue, attributes, call } = testSqs();
    const { url, arn } = await queue('work', { VisibilityTimeout: '45' });
    expect(url).toBe(`${BASE_URL}/000000000000/work`);
    const second = String(context.clock.now() / 1000);
    expect(await attributes(url)).toEqual({
      QueueArn: arn,
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesDelayed: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      CreatedTimestamp: second,
      LastModifiedTimestamp: second,
      DelaySeconds: '0',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '0',
      SqsManagedSseEnabled: 'true',
      VisibilityTimeout: '45',
    });
    expect(await queue('work', { VisibilityTimeout: '45' })).toEqual({ url, arn });
    await expect(queue('work', { VisibilityTimeout: '46' })).rejects.toMatchObject({
      code: 'QueueNameExists',
    });
    expect(await call('GetQueueUrl', { QueueName: 'work' })).toEqual({ QueueUrl: url });
    await expect(call('GetQueueUrl', { QueueName: 'other' })).rejects.toMatchObject({
      code: 'QueueDoesNotExist',
      statusCode: 400,
    });
  });

  it.each([
    ['bad name!', {}, 'InvalidParameterValue'],
    ['x'.repeat(81), {}, 'InvalidParameterValue'],
    ['plain', { FifoQueue: 'true' }, 'InvalidParameterValue'],
    ['work', { VisibilityTimeout: '43201' }, 'InvalidAttributeValue'],
    ['work', { DelaySeconds: 'soon' }, 'InvalidAttributeValue'],
    ['work', { Colour: 'red' }, 'InvalidAttributeName'],
    ['work', { ContentBasedDeduplication: 'true' }, 'InvalidAttributeName'],
    ['work', { RedrivePolicy: 'x' }, 'InvalidAttributeValue'],
    ['work', { RedrivePolicy: '{"maxReceiveCount":1}' }, 'InvalidParameterValue'],
    [
      'work',
      {
        RedrivePolicy:
          '{"maxReceiveCount":1,"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:none"}',
      },
      'InvalidParameterValue',
    ],
  ])('create refuses %s %o with %s', async (name, given, code) => {
    const { queue } = testSqs();
    await expect(queue(name, given as Record<string, string>)).rejects.toMatchObject({ code });
  });

  it('wants a dead-letter queue of the same type', async () => {
    const { queue } = testSqs();
    const { arn } = await queue('dead');
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 1 });
    await expect(queue('work.fifo', { RedrivePolicy })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });

  it('does not make a queue anew within a minute of its deletion, nor with the old messages and ids', async () => {
    const { context, queue, send, receive, call } = testSqs();
    const { url } = await queue('work.fifo', { ContentBasedDeduplication: 'true' });
    await send(url, 'x', { MessageGroupId: 'g' });
    await call('DeleteQueue', { QueueUrl: url });
    await expect(send(url, 'x', { MessageGroupId: 'g' })).rejects.toMatchObject({
      code: 'QueueDoesNotExist',
    });
    await expect(queue('work.fifo')).rejects.toMatchObject({ code: 'QueueDeletedRecently' });
    await context.clock.advance(60_000);
    await queue('work.fifo', { ContentBasedDeduplication: 'true' });
    expect(await receive(url)).toEqual([]);
    await send(url, 'x', { MessageGroupId: 'g' });
    expect(await receive(url)).toHaveLength(1);
  });

  it('lists in pages', async () => {
    const { queue, call } = testSqs();
    for (const name of ['a1', 'a2', 'a3', 'b1']) await queue(name);
    const list = (input: unknown): Promise<ListQueuesResult> => call('ListQueues', input);
    const urls = (names: string[]): string[] => names.map((name) => `${BASE_URL}/000000000000/${name}`);
    const first = await list({ QueueNamePrefix: 'a', MaxResults: 2 });
    expect(first.QueueUrls).toEqual(urls(['a1', 'a2']));
    const second = await list({ QueueNamePrefix: 'a', MaxResults: 2, NextToken: first.NextToken });
    expect(second).toEqual({ QueueUrls: urls(['a3']), NextToken: undefined });
    expect((await list({})).QueueUrls).toHaveLength(4);
    expect(await list({ QueueNamePrefix: 'z' })).toEqual({});
  });

  it('keeps tags', async () => {
    const { queue, call } = testSqs();
    const { url } = await queue('work');
    await call('TagQueue', { QueueUrl: url, Tags: { a: '1', b: '2' } });
    await call('UntagQueue', { QueueUrl: url, TagKeys: ['a'] });
    expect(await call('ListQueueTags', { QueueUrl: url })).toEqual({ Tags: { b: '2' } });
  });

  it('finds a queue under any host and refuses what is no queue URL', async () => {
    const { queue, send } = testSqs();
    await queue('work');
    await send('http://host.docker.internal:4566/000000000000/work', 'x');
    await expect(send('work', 'x')).rejects.toMatchObject({ code: 'InvalidAddress', statusCode: 404 });
    await expect(send('http://h/111111111111/work', 'x')).rejects.toMatchObject({
      code: 'QueueDoesNotExist',
    });
    await expect(send('', 'x')).rejects.toMatchObject({ code: 'MissingParameter' });
  });
});

describe('message attributes', () => {
  it('have the digest that SDKs compute', async () => {
    const { queue, send, receive } = testSqs();
    const { url } = await queue('work');
    const sent = await send(url, 'x', {
      MessageAttributes: { timestamp: { DataType: 'Number', StringValue: '1493147359900' } },
    });
    expect(sent.MD5OfMessageAttributes).toBe('235c5c510d26fb653d073faed50ae77c');
    expect(await receive(url, { MessageAttributeNames: ['time.*'], VisibilityTimeout: 0 })).toMatchObject([
      { MD5OfBody: sent.MD5OfMessageBody },
    ]);
  });

  it('come back as asked: by name, by prefix, all or none', async () => {
    const { queue, send, receive } = testSqs();
    const { url } = await queue('work');
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    await send(url, 'x', { MessageAttributes: { 'a.one': text('1'), 'a.two': text('2'), b: text('3') } });
    const names = async (asked: string[] | undefined): Promise<string[]> => {
      const [message] = await receive(url, { MessageAttributeNames: asked, VisibilityTimeout: 0 });
      return Object.keys(message?.MessageAttributes ?? {});
    };
    expect(await names(undefined)).toEqual([]);
    expect(await names(['a.*'])).toEqual(['a.one', 'a.two']);
    expect(await names(['b', 'a.one'])).toEqual(['a.one', 'b']);
    expect(await names(['All'])).toHaveLength(3);
  });

  it.each([
    [{ 'aws.x': { DataType: 'String', StringValue: 'v' } }],
    [{ k: { DataType: 'Text', StringValue: 'v' } }],
    [{ k: { DataType: 'String', StringValue: '' } }],
    [{ k: { DataType: 'Number', StringValue: 'many' } }],
    [{ k: { DataType: 'Binary' } }],
  ])('%o is refused', async (MessageAttributes) => {
    const { queue, send } = testSqs();
    const { url } = await queue('work');
    await expect(send(url, 'x', { MessageAttributes })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });
});

describe('message move tasks', () => {
  const withDead = async (maxReceiveCount = 1) => {
    const test = testSqs();
    const dead = await test.queue('dead');
    const work = await test.queue('work', {
      VisibilityTimeout: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount }),
    });
    for (let n = 0; n < 5; n++) await test.send(work.url, `m${n}`);
    for (let round = 0; round < 2; round++) await test.receive(work.url, { MaxNumberOfMessages: 10 });
    return { ...test, dead, work };
  };

  it('give the messages back to their source as new ones, at the rate asked for', async () => {
    const { context, dead, work, call, attributes, receive } = await withDead();
    expect((await attributes(dead.url)).ApproximateNumberOfMessages).toBe('5');
    await call('StartMessageMoveTask', { SourceArn: dead.arn, MaxNumberOfMessagesPerSecond: 2 });
    const moved = async (): Promise<string | undefined> =>
      (await attributes(work.url)).ApproximateNumberOfMessages;
    await context.clock.advance(0);
    expect(await moved()).toBe('2');
    await context.clock.advance(1000);
    expect(await moved()).toBe('4');
    await expect(call('StartMessageMoveTask', { SourceArn: dead.arn })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    await context.clock.advance(1000);
    const { Results = [] } = await call<ListMessageMoveTasksResult>('ListMessageMoveTasks', {
      SourceArn: dead.arn,
    });
    expect(Results).toMatchObject([
      { Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 5, ApproximateNumberOfMessagesToMove: 5 },
    ]);
    const [message] = await receive(work.url, { MessageSystemAttributeNames: ['All'] });
    expect(message?.Attributes).toMatchObject({ ApproximateReceiveCount: '1' });
    expect(message?.Attributes?.DeadLetterQueueSourceArn).toBeUndefined();
  });

  it('can be cancelled, and say why they cannot start', async () => {
    const { context, dead, work, call, queue } = await withDead();
    const { TaskHandle } = await call<StartMessageMoveTaskResult>('StartMessageMoveTask', {
      SourceArn: dead.arn,
      MaxNumberOfMessagesPerSecond: 1,
    });
    await context.clock.advance(0);
    expect(await call('CancelMessageMoveTask', { TaskHandle })).toEqual({
      ApproximateNumberOfMessagesMoved: 1,
    });
    await expect(call('CancelMessageMoveTask', { TaskHandle })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    await expect(call('CancelMessageMoveTask', { TaskHandle: 'none' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await expect(call('StartMessageMoveTask', { SourceArn: work.arn })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    await expect(call('StartMessageMoveTask', { SourceArn: `${dead.arn}x` })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    const other = await queue('other');
    await call('StartMessageMoveTask', { SourceArn: dead.arn, DestinationArn: other.arn });
    await context.clock.advance(0);
    expect(await call('ListMessageMoveTasks', { SourceArn: dead.arn, MaxResults: 10 })).toMatchObject({
      Results: [{ Status: 'COMPLETED' }, { Status: 'CANCELLED' }],
    });
  });
});
