import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqliteState } from '../engine/state.ts';
import { virtualClock } from '../engine/testClock.ts';
import { type TestSqs, testSqs } from './testSqs.ts';

/** A restart is a second engine that reads the file of a first one that nobody stopped, as after kill -9. */
describe('an engine started on the state of a killed one', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sqs-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const start = (): TestSqs =>
    testSqs({ state: sqliteState(join(directory, 'state.db')), clock: virtualClock(Date.UTC(2026, 0, 1)) });

  it('has lost nothing: in-flight messages come back by their timeout with their receive counts', async () => {
    const before = start();
    const { url } = await before.queue('work', { VisibilityTimeout: '10' });
    const sent = await before.send(url, 'in flight', {
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 'v' },
        bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(1, 2, 255) },
      },
    });
    const [received] = await before.receive(url);
    await before.send(url, 'waiting');
    await before.send(url, 'delayed', { DelaySeconds: 20 });
    await before.send(url, 'deleted');
    const [, doomed] = await before.receive(url, { MaxNumberOfMessages: 2, VisibilityTimeout: 0 });
    expect(doomed?.Body).toBe('deleted');

    const after = start();
    expect(await after.attributes(url)).toMatchObject({
      ApproximateNumberOfMessages: '2',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
    });
    const [again] = await after.receive(url, { MaxNumberOfMessages: 10 });
    expect(again?.Body).toBe('waiting');
    await after.context.clock.advance(10_000);
    const [back] = await after.receive(url, {
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      MessageAttributeNames: ['All'],
      MaxNumberOfMessages: 1,
    });
    expect(back).toMatchObject({
      MessageId: sent.MessageId,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      Attributes: { ApproximateReceiveCount: '2' },
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 'v' },
        bytes: { DataType: 'Binary', BinaryValue: Buffer.of(1, 2, 255) },
      },
    });
    expect(back?.ReceiptHandle).not.toBe(received?.ReceiptHandle);
  });

  it('still knows the receipt handles given out before', async () => {
    const before = start();
    const { url } = await before.queue('work');
    await before.send(url, 'x');
    const [message] = await before.receive(url);
    const after = start();
    await after.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle });
    expect(await after.attributes(url)).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '0' });
    await start().context.clock.advance(60_000);
    expect(await start().receive(url)).toEqual([]);
  });

  it('keeps FIFO blocking, order, sequence and deduplication', async () => {
    const before = start();
    const { url } = await before.queue('work.fifo', {
      ContentBasedDeduplication: 'true',
      VisibilityTimeout: '10',
    });
    const group = { MessageGroupId: 'g' };
    await before.send(url, 'one', group);
    const two = await before.send(url, 'two', group);
    await before.receive(url);

    const after = start();
    expect(await after.receive(url)).toEqual([]);
    expect(await after.send(url, 'two', group)).toMatchObject({ MessageId: two.MessageId });
    const three = await after.send(url, 'three', group);
    expect(BigInt(three.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(two.SequenceNumber ?? 0));
    await after.context.clock.advance(10_000);
    const messages = await after.receive(url, { MaxNumberOfMessages: 10 });
    expect(messages.map(({ Body }) => Body)).toEqual(['one', 'two', 'three']);
  });

  it('goes on with a move task', async () => {
    const before = start();
    const dead = await before.queue('dead');
    const { url } = await before.queue('work', {
      VisibilityTimeout: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    });
    for (const body of ['a', 'b', 'c']) await before.send(url, body);
    for (let round = 0; round < 2; round++) await before.receive(url, { MaxNumberOfMessages: 10 });
    await before.call('StartMessageMoveTask', { SourceArn: dead.arn, MaxNumberOfMessagesPerSecond: 2 });
    await before.context.clock.advance(0);
    expect(await before.attributes(dead.url)).toMatchObject({ ApproximateNumberOfMessages: '1' });
    const after = start();
    await after.context.clock.advance(1000);
    expect(await after.attributes(dead.url)).toMatchObject({ ApproximateNumberOfMessages: '0' });
    expect(await after.call('ListMessageMoveTasks', { SourceArn: dead.arn })).toMatchObject({
      Results: [{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 3 }],
    });
  });
});
