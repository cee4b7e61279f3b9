import type { Message } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededHex } from '../engine/testContext.ts';
import { testSqs } from './testSqs.ts';

const all = { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All' as const] };
const bodies = (messages: readonly Message[]): (string | undefined)[] => messages.map(({ Body }) => Body);

describe('a FIFO queue', () => {
  it('gives a group in order, and nothing more of it while a message is in flight', async () => {
    const { context, queue, send, receive, call } = testSqs();
    const { url } = await queue('work.fifo', { ContentBasedDeduplication: 'true', VisibilityTimeout: '10' });
    for (const body of ['a1', 'b1', 'a2', 'a3', 'b2'])
      await send(url, body, { MessageGroupId: body.charAt(0) });
    const [a1, a2] = await receive(url, { ...all, MaxNumberOfMessages: 2 });
    expect([a1?.Body, a2?.Body]).toEqual(['a1', 'a2']);
    expect(BigInt(a1?.Attributes?.SequenceNumber ?? 0)).toBeLessThan(
      BigInt(a2?.Attributes?.SequenceNumber ?? 0),
    );
    expect(a1?.Attributes).toMatchObject({
      MessageGroupId: 'a',
      SequenceNumber: expect.stringMatching(/^\d{20}$/),
    });
    expect(bodies(await receive(url, all))).toEqual(['b1', 'b2']);
    expect(await receive(url, all)).toEqual([]);
    await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: a1?.ReceiptHandle });
    expect(await receive(url, all)).toEqual([]);
    await call('ChangeMessageVisibility', {
      QueueUrl: url,
      ReceiptHandle: a2?.ReceiptHandle,
      VisibilityTimeout: 0,
    });
    expect(bodies(await receive(url, all))).toEqual(['a2', 'a3']);
    await context.clock.advance(10_000);
    expect(bodies(await receive(url, all)).sort()).toEqual(['a2', 'a3', 'b1', 'b2']);
  });

  it('answers a repeated deduplication id like the first send for five minutes, even after the delete', async () => {
    const { context, queue, send, receive, call } = testSqs();
    const { url } = await queue('work.fifo');
    const again = (body: string): ReturnType<typeof send> =>
      send(url, body, { MessageGroupId: 'g', MessageDeduplicationId: 'id' });
    const first = await again('one');
    const [message] = await receive(url);
    await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle });
    await context.clock.advance(299_999);
    expect(await again('two')).toMatchObject({
      MessageId: first.MessageId,
      SequenceNumber: first.SequenceNumber,
    });
    expect(await receive(url)).toEqual([]);
    await context.clock.advance(1);
    expect((await again('three')).MessageId).not.toBe(first.MessageId);
    expect(bodies(await receive(url))).toEqual(['three']);
  });

  it('deduplicates by group where the queue says so', async () => {
    const { queue, send, receive } = testSqs();
    const { url } = await queue('work.fifo', {
      DeduplicationScope: 'messageGroup',
      ContentBasedDeduplication: 'true',
    });
    for (const MessageGroupId of ['a', 'b', 'a']) await send(url, 'same', { MessageGroupId });
    expect(await receive(url, all)).toHaveLength(2);
  });

  it('refuses what FIFO does not allow', async () => {
    const { context, queue, send, receive, call } = testSqs();
    const { url } = await queue('work.fifo', { VisibilityTimeout: '10' });
    await expect(send(url, 'x')).rejects.toMatchObject({ code: 'MissingParameter' });
    await expect(send(url, 'x', { MessageGroupId: 'g' })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    await expect(
      send(url, 'x', { MessageGroupId: 'g', MessageDeduplicationId: 'd', DelaySeconds: 1 }),
    ).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await send(url, 'x', { MessageGroupId: 'g', MessageDeduplicationId: 'd' });
    const [message] = await receive(url);
    await context.clock.advance(10_000);
    await expect(
      call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }),
    ).rejects.toMatchObject({ code: 'InvalidParameterValue', message: expect.stringContaining('expired') });
    const standard = await queue('standard');
    await expect(send(standard.url, 'x', { MessageDeduplicationId: 'd' })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });

  it('lets the rest of a group go on when its head is moved to the dead-letter queue', async () => {
    const { context, queue, send, receive } = testSqs();
    const dead = await queue('dead.fifo');
    const { url } = await queue('work.fifo', {
      ContentBasedDeduplication: 'true',
      VisibilityTimeout: '10',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    });
    for (const body of ['poison', 'good']) await send(url, body, { MessageGroupId: 'g' });
    expect(bodies(await receive(url, { MaxNumberOfMessages: 1 }))).toEqual(['poison']);
    await context.clock.advance(10_000);
    expect(bodies(await receive(url, all))).toEqual(['good']);
    expect(bodies(await receive(dead.url, all))).toEqual(['poison']);
  });

  it('holds back a whole group when its head is delayed by a fault', async () => {
    let delays = 1;
    const { context, queue, send, receive } = testSqs({
      faults: { at: () => (delays-- > 0 ? { kind: 'delay', delayMs: 5_000 } : undefined) },
    });
    const { url } = await queue('work.fifo', { ContentBasedDeduplication: 'true' });
    for (const body of ['a1', 'a2', 'b1']) await send(url, body, { MessageGroupId: body.charAt(0) });
    expect(bodies(await receive(url, all))).toEqual(['b1']);
    await context.clock.advance(5_000);
    expect(bodies(await receive(url, all))).toEqual(['a1', 'a2']);
  });
});

describe('FIFO properties', () => {
  const scenario = fc.record({
    seed: fc.nat(),
    messages: fc.array(fc.record({ group: fc.nat(3), gapMs: fc.nat(3000) }), { minLength: 1, maxLength: 40 }),
    consumers: fc.integer({ min: 1, max: 4 }),
    /** Percent of receives that crash: their messages come back by the timeout. */
    crashes: fc.nat(50),
    delays: fc.nat(30),
  });

  it('every message is handled, in the order of its group, exactly once while consumers keep to the timeout', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, messages, consumers, crashes, delays }) => {
        const hex = seededHex(seed);
        const percent = (): number => Number.parseInt(hex(4), 16) % 100;
        const { context, queue, sqs, send } = testSqs({
          faults: {
            at: () => (percent() < delays ? { kind: 'delay', delayMs: percent() * 100 } : undefined),
          },
        });
        const { clock } = context;
        const { url, arn } = await queue('work.fifo', {
          ContentBasedDeduplication: 'true',
          VisibilityTimeout: '10',
        });
        const handled: string[] = [];
        let busy = 0;
        const pull = (): void => {
          while (busy < consumers) {
            const batch = sqs.receive(arn, { max: 1 + (percent() % 5) });
            if (batch.length === 0) return;
            busy++;
            const crashed = percent() < crashes;
            clock.after(percent() * 90, () => {
              busy--;
              if (!crashed) {
                for (const { Body = '', ReceiptHandle = '' } of batch) {
                  handled.push(Body);
                  sqs.delete(arn, ReceiptHandle);
                }
              }
              pull();
            });
          }
        };
        sqs.subscribe(arn, pull);
        const sent: string[] = [];
        let atMs = 0;
        for (const [n, { group, gapMs }] of messages.entries()) {
          atMs += gapMs;
          clock.after(atMs, async () => {
            sent.push(`${group}:${n}`);
            await send(url, `${group}:${n}`, { MessageGroupId: String(group) });
          });
        }
        await clock.until(() => handled.length === messages.length, 3_600_000);
        await clock.advance(60_000);
        const ofGroup = (list: readonly string[], group: number): string[] =>
          list.filter((body) => body.startsWith(`${group}:`));
        for (let group = 0; group <= 3; group++)
          expect(ofGroup(handled, group)).toEqual(ofGroup(sent, group));
      }),
      { numRuns: 60 },
    );
  });
});
