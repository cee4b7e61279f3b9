import type { SendMessageBatchResult } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../engine/faults.ts';
import { testSqs } from './testSqs.ts';

describe('a standard queue', () => {
  it('hides a received message for its visibility timeout and counts receives', async () => {
    const { context, queue, send, receive, attributes } = testSqs();
    const { url } = await queue('work', { VisibilityTimeout: '10' });
    const sent = await send(url, 'hello');
    const [first] = await receive(url);
    expect(first).toMatchObject({
      Body: 'hello',
      MessageId: sent.MessageId,
      MD5OfBody: '5d41402abc4b2a76b9719d911017c592',
    });
    expect(first?.Attributes).toBeUndefined();
    expect(await receive(url)).toEqual([]);
    expect(await attributes(url)).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '1',
    });
    const firstAtMs = context.clock.now();
    await context.clock.advance(9_999);
    expect(await receive(url)).toEqual([]);
    await context.clock.advance(1);
    const [second] = await receive(url, { MessageSystemAttributeNames: ['All'] });
    expect(second?.Attributes).toEqual({
      SenderId: '000000000000',
      SentTimestamp: String(firstAtMs),
      ApproximateReceiveCount: '2',
      ApproximateFirstReceiveTimestamp: String(firstAtMs),
    });
  });

  it('deletes by the latest receipt handle only, and takes repeats for success', async () => {
    const { context, queue, send, receive, call, attributes } = testSqs();
    const { url } = await queue('work', { VisibilityTimeout: '10' });
    await send(url, 'hello');
    const [first] = await receive(url);
    await context.clock.advance(10_000);
    const [second] = await receive(url);
    await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: first?.ReceiptHandle });
    expect((await attributes(url)).ApproximateNumberOfMessagesNotVisible).toBe('1');
    await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: second?.ReceiptHandle });
    await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: second?.ReceiptHandle });
    expect((await attributes(url)).ApproximateNumberOfMessagesNotVisible).toBe('0');
    await expect(call('DeleteMessage', { QueueUrl: url, ReceiptHandle: 'nonsense' })).rejects.toMatchObject({
      code: 'ReceiptHandleIsInvalid',
      statusCode: 404,
    });
  });

  it('changes visibility: zero gives the message back at once', async () => {
    const { context, queue, send, receive, call } = testSqs();
    const { url } = await queue('work');
    await send(url, 'hello');
    const [first] = await receive(url);
    const change = (VisibilityTimeout: number): Promise<unknown> =>
      call('ChangeMessageVisibility', {
        QueueUrl: url,
        ReceiptHandle: first?.ReceiptHandle,
        VisibilityTimeout,
      });
    await change(100);
    await context.clock.advance(99_000);
    expect(await receive(url)).toEqual([]);
    await expect(change(43_200)).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await change(0);
    expect(await receive(url)).toHaveLength(1);
    await expect(change(5)).rejects.toMatchObject({ code: 'MessageNotInflight' });
  });

  it('delays by queue and by message', async () => {
    const { context, queue, send, receive, attributes } = testSqs();
    const { url } = await queue('work', { DelaySeconds: '5' });
    await send(url, 'queue delay');
    await send(url, 'own delay', { DelaySeconds: 2 });
    await send(url, 'none', { DelaySeconds: 0 });
    expect((await attributes(url)).ApproximateNumberOfMessagesDelayed).toBe('2');
    const bodies = async (): Promise<(string | undefined)[]> =>
      (await receive(url, { MaxNumberOfMessages: 10 })).map(({ Body }) => Body);
    expect(await bodies()).toEqual(['none']);
    await context.clock.advance(2000);
    expect(await bodies()).toEqual(['own delay']);
    await context.clock.advance(3000);
    expect(await bodies()).toEqual(['queue delay']);
  });

  it('drops messages after the retention period, in flight or not', async () => {
    const { context, queue, send, receive, attributes, call } = testSqs();
    const { url } = await queue('work', { MessageRetentionPeriod: '60', VisibilityTimeout: '600' });
    await send(url, 'received');
    await receive(url);
    await send(url, 'waiting');
    await context.clock.advance(30_000);
    await send(url, 'younger');
    await context.clock.advance(30_000);
    expect(await attributes(url)).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
    await call('SetQueueAttributes', { QueueUrl: url, Attributes: { MessageRetentionPeriod: '120' } });
    await context.clock.advance(30_000);
    expect(await receive(url)).toHaveLength(1);
  });

  it('answers a long poll as soon as a message is there, and with nothing at its end', async () => {
    const { context, queue, send, receive } = testSqs();
    const { url } = await queue('work', { ReceiveMessageWaitTimeSeconds: '20' });
    const startMs = context.clock.now();
    const polled = receive(url).then((messages) => ({ messages, atMs: context.clock.now() - startMs }));
    await context.clock.advance(7_000);
    await send(url, 'here');
    await context.clock.advance(20_000);
    expect(await polled).toMatchObject({ messages: [{ Body: 'here' }], atMs: 7_000 });
    const beforeMs = context.clock.now();
    const empty = receive(url, { WaitTimeSeconds: 3 }).then((messages) => ({
      messages,
      atMs: context.clock.now() - beforeMs,
    }));
    await context.clock.advance(30_000);
    expect(await empty).toEqual({ messages: [], atMs: 3_000 });
  });

  it('gives nothing to a long poll whose caller has hung up', async () => {
    const { context, sqs, queue, send, receive } = testSqs();
    const { url } = await queue('work');
    const hangUp = new AbortController();
    const poll = sqs.service.operations.ReceiveMessage?.(
      { QueueUrl: url, WaitTimeSeconds: 20 },
      { requestId: 'r', signal: hangUp.signal },
    );
    await context.clock.advance(1000);
    hangUp.abort();
    expect(await poll).toEqual({});
    await send(url, 'still here');
    expect(await receive(url)).toHaveLength(1);
  });

  it('moves a message to the dead-letter queue when it would be received once too often', async () => {
    const { context, queue, send, receive, attributes, call } = testSqs();
    const dead = await queue('dead');
    const { url, arn } = await queue('work', {
      VisibilityTimeout: '10',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 }),
    });
    const sent = await send(url, 'poison');
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await receive(url)).toHaveLength(1);
      await context.clock.advance(10_000);
    }
    expect((await attributes(dead.url)).ApproximateNumberOfMessages).toBe('0');
    expect(await receive(url)).toEqual([]);
    expect((await attributes(url)).ApproximateNumberOfMessages).toBe('0');
    const [message] = await receive(dead.url, { MessageSystemAttributeNames: ['All'] });
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Attributes: { DeadLetterQueueSourceArn: arn, ApproximateReceiveCount: '3' },
    });
    expect(await call('ListDeadLetterSourceQueues', { QueueUrl: dead.url })).toEqual({ queueUrls: [url] });
  });

  it('purges once a minute', async () => {
    const { context, queue, send, receive, attributes, call } = testSqs();
    const { url } = await queue('work');
    await send(url, 'one');
    await receive(url);
    await send(url, 'two');
    await call('PurgeQueue', { QueueUrl: url });
    expect(await attributes(url)).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
    await expect(call('PurgeQueue', { QueueUrl: url })).rejects.toMatchObject({
      code: 'PurgeQueueInProgress',
    });
    await context.clock.advance(60_000);
    await call('PurgeQueue', { QueueUrl: url });
  });

  it('refuses single entries of a batch and takes the others', async () => {
    const { queue, call } = testSqs();
    const { url } = await queue('work');
    const result = await call<SendMessageBatchResult>('SendMessageBatch', {
      QueueUrl: url,
      Entries: [
        { Id: 'good', MessageBody: 'x' },
        { Id: 'late', MessageBody: 'x', DelaySeconds: 901 },
        { Id: 'odd', MessageBody: 'bell \u0007' },
      ],
    });
    expect(result.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(result.Failed).toMatchObject([
      { Id: 'late', Code: 'InvalidParameterValue', SenderFault: true },
      { Id: 'odd', Code: 'InvalidMessageContents', SenderFault: true },
    ]);
    const batch = (Entries: unknown): Promise<unknown> =>
      call('SendMessageBatch', { QueueUrl: url, Entries });
    await expect(batch([])).rejects.toMatchObject({ code: 'EmptyBatchRequest' });
    const eleven = Array.from({ length: 11 }, (_, n) => ({ Id: `m${n}`, MessageBody: 'x' }));
    await expect(batch(eleven)).rejects.toMatchObject({ code: 'TooManyEntriesInBatchRequest' });
    const twins = [
      { Id: 'a', MessageBody: 'x' },
      { Id: 'a', MessageBody: 'y' },
    ];
    await expect(batch(twins)).rejects.toMatchObject({ code: 'BatchEntryIdsNotDistinct' });
    await expect(batch([{ Id: 'a b', MessageBody: 'x' }])).rejects.toMatchObject({
      code: 'InvalidBatchEntryId',
    });
    const heavy = [
      { Id: 'a', MessageBody: 'x'.repeat(600_000) },
      { Id: 'b', MessageBody: 'x'.repeat(600_000) },
    ];
    await expect(batch(heavy)).rejects.toMatchObject({ code: 'BatchRequestTooLong' });
  });

  it('takes a message of 1 MiB with its attributes and none larger', async () => {
    const { queue, send } = testSqs();
    const { url } = await queue('work');
    const MessageAttributes = { k: { DataType: 'String', StringValue: 'v' } };
    await send(url, 'x'.repeat(1_048_576 - 8), { MessageAttributes });
    await expect(send(url, 'x'.repeat(1_048_576 - 7), { MessageAttributes })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });

  it('tells a listener of messages in the same turn once, and again when some come back', async () => {
    const { context, sqs, queue, send } = testSqs();
    const { url, arn } = await queue('work', { VisibilityTimeout: '10' });
    const told: string[][] = [];
    sqs.subscribe(arn, () => {
      const messages = sqs.receive(arn, { max: 100 });
      told.push(messages.map(({ Body }) => Body ?? ''));
    });
    void send(url, 'a');
    void send(url, 'b');
    await context.clock.advance(0);
    expect(told).toEqual([['a', 'b']]);
    await context.clock.advance(10_000);
    expect(told[1]).toEqual(['a', 'b']);
  });

  it('delivers duplicates and delays on demand', async () => {
    const faults: (Fault | undefined)[] = [
      { kind: 'duplicate', copies: 2 },
      { kind: 'delay', delayMs: 5_000 },
    ];
    const { context, queue, send, receive, call, attributes } = testSqs({
      faults: { at: (point) => (point === 'sqs.deliver' ? faults.shift() : undefined) },
    });
    const { url } = await queue('work');
    const { MessageId } = await send(url, 'twice');
    await send(url, 'late');
    const messages = await receive(url, { MaxNumberOfMessages: 10 });
    expect(messages.map((message) => message.MessageId)).toEqual([MessageId, MessageId, MessageId]);
    expect(new Set(messages.map(({ ReceiptHandle }) => ReceiptHandle)).size).toBe(3);
    for (const { ReceiptHandle } of messages) await call('DeleteMessage', { QueueUrl: url, ReceiptHandle });
    await context.clock.advance(5_000);
    expect(await receive(url)).toMatchObject([{ Body: 'late' }]);
    expect((await attributes(url)).ApproximateNumberOfMessagesNotVisible).toBe('1');
  });

  it('does not receive past 120,000 messages in flight', async () => {
    const { sqs, queue, receive } = testSqs();
    const { url, arn } = await queue('work', { VisibilityTimeout: '43200' });
    for (let n = 0; n <= 120_000; n++) sqs.send(arn, 'x');
    expect(sqs.receive(arn, { max: 200_000 })).toHaveLength(120_000);
    await expect(receive(url)).rejects.toMatchObject({ code: 'OverLimit', statusCode: 403 });
  });
});
