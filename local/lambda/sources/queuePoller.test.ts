import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { sqliteState } from '../../engine/state.ts';
import { virtualClock } from '../../engine/testClock.ts';
import { type TestContext, testContext } from '../../engine/testContext.ts';
import { createSqs, type Sqs } from '../../sqs/engine.ts';
import type { InProcessHandler } from '../inProcessRunner.ts';
import { type TestLambda, testLambda } from '../testLambda.ts';
import type { MappingSpec } from './mapping.ts';
import { sqsSource } from './sqsSource.ts';

interface World extends TestLambda {
  readonly sqs: Sqs;
  readonly arn: string;
  readonly batches: string[][];
}

/** A queue mapped to a function that records the bodies of each batch and then does `then`. */
async function world(
  mapping: Partial<MappingSpec>,
  then: (event: SQSEvent, context: TestContext) => unknown = () => undefined,
  options: {
    fifo?: boolean;
    maxConcurrency?: number;
    context?: TestContext;
    failedMessageDelayMs?: number;
  } = {},
): Promise<World> {
  const context = options.context ?? testContext();
  const sqs = createSqs(context, { baseUrl: 'http://127.0.0.1:4566' });
  const name = options.fifo ? 'work.fifo' : 'work';
  const arn = `arn:aws:sqs:us-east-1:000000000000:${name}`;
  const attributes = {
    VisibilityTimeout: '30',
    ...(options.fifo ? { FifoQueue: 'true', ContentBasedDeduplication: 'true' } : {}),
  };
  await sqs.service.operations.CreateQueue?.(
    { QueueName: name, Attributes: attributes },
    { requestId: 'create' },
  );
  const batches: string[][] = [];
  const handler: InProcessHandler = (event) => {
    const batch = event as SQSEvent;
    batches.push(batch.Records.map(({ body }) => body));
    return then(batch, context);
  };
  const test = testLambda(
    { fn: handler },
    {},
    {
      context,
      maxConcurrency: options.maxConcurrency ?? 10,
      ...(options.failedMessageDelayMs === undefined
        ? {}
        : { failedMessageDelayMs: options.failedMessageDelayMs }),
      sources: { queue: (queueArn) => sqsSource(sqs, queueArn), stream: () => undefined },
    },
  );
  test.lambda.createEventSourceMapping({ functionName: 'fn', eventSourceArn: arn, ...mapping });
  test.lambda.start();
  await context.clock.advance(0);
  return { ...test, sqs, arn, batches };
}
const later = (context: TestContext, ms: number) =>
  new Promise<void>((resolve) => context.clock.after(ms, resolve));

describe('a queue mapped to a function', () => {
  it('hands over a message at once, in the real shape, and deletes it', async () => {
    let seen: SQSEvent | undefined;
    const { sqs, arn, context } = await world({}, (event) => {
      seen = event;
    });
    sqs.send(arn, 'hello', {
      messageAttributes: {
        text: { DataType: 'String', StringValue: 'v' },
        raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(1, 2) },
      },
    });
    await context.clock.advance(0);
    expect(seen?.Records).toEqual([
      {
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        receiptHandle: expect.any(String),
        body: 'hello',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: String(context.clock.now()),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: String(context.clock.now()),
        },
        messageAttributes: {
          text: { stringValue: 'v', stringListValues: [], binaryListValues: [], dataType: 'String' },
          raw: { binaryValue: 'AQI=', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
        },
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        eventSource: 'aws:sqs',
        eventSourceARN: arn,
        awsRegion: 'us-east-1',
      },
    ]);
    expect(sqs.describe(arn)).toMatchObject({ visible: 0, inFlight: 0 });
  });

  it('makes a batch of what came together, up to its size', async () => {
    const { sqs, arn, batches, context } = await world({ batchSize: 4 });
    for (let n = 0; n < 10; n += 1) sqs.send(arn, String(n));
    await context.clock.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(batches.flat().sort()).toEqual(Array.from({ length: 10 }, (_, n) => String(n)));
  });

  it('gathers for the batching window, or until the batch is full', async () => {
    const { sqs, arn, batches, context } = await world({ batchSize: 12, maximumBatchingWindowSeconds: 5 });
    sqs.send(arn, 'a');
    await context.clock.advance(3_000);
    sqs.send(arn, 'b');
    await context.clock.advance(1_999);
    expect(batches).toEqual([]);
    await context.clock.advance(1);
    expect(batches.map((batch) => batch.length)).toEqual([2]);
    for (let n = 0; n < 12; n += 1) sqs.send(arn, String(n));
    await context.clock.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([2, 12]);
  });

  it('leaves a failed batch in flight until its visibility timeout, and the poisoned message to the dead-letter queue', async () => {
    let failures = 2;
    const { sqs, arn, batches, context } = await world({}, () => {
      if (failures-- > 0) throw new Error('not yet');
    });
    sqs.send(arn, 'again');
    await context.clock.advance(0);
    expect(sqs.describe(arn).inFlight).toBe(1);
    await context.clock.advance(29_999);
    expect(batches).toHaveLength(1);
    await context.clock.advance(1);
    expect(batches).toHaveLength(2);
    await context.clock.advance(30_000);
    expect(batches).toEqual([['again'], ['again'], ['again']]);
    expect(sqs.describe(arn)).toMatchObject({ visible: 0, inFlight: 0 });
  });

  it('deletes all but the failures a handler reports', async () => {
    const rounds = [['b', 'c'], ['c'], []];
    const { sqs, arn, batches, context } = await world({ reportBatchItemFailures: true }, ({ Records }) => {
      const failed = rounds.shift() ?? [];
      return {
        batchItemFailures: Records.filter(({ body }) => failed.includes(body)).map(({ messageId }) => ({
          itemIdentifier: messageId,
        })),
      };
    });
    for (const body of ['a', 'b', 'c']) sqs.send(arn, body);
    await context.clock.advance(90_000);
    expect(batches.map((batch) => batch.sort())).toEqual([['a', 'b', 'c'], ['b', 'c'], ['c']]);
  });

  it.each([
    ['an unknown identifier', { batchItemFailures: [{ itemIdentifier: 'nobody' }] }],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a misspelt key', { batchItemFailures: [{ itemidentifier: 'x' }] }],
    ['text', 'done'],
  ])('takes the whole batch for failed on %s', async (_what, answer) => {
    const { sqs, arn, context } = await world({ reportBatchItemFailures: true }, () => answer);
    sqs.send(arn, 'a');
    await context.clock.advance(0);
    expect(sqs.describe(arn).inFlight).toBe(1);
  });

  it('never runs more at once than the mapping, the reservation and the runner allow', async () => {
    for (const [mapping, maxConcurrency, expected] of [
      [{ maximumConcurrency: 2 }, 10, 2],
      [{}, 3, 3],
    ] as const) {
      let running = 0;
      let peak = 0;
      const then = async (_event: SQSEvent, context: TestContext): Promise<void> => {
        running += 1;
        peak = Math.max(peak, running);
        await later(context, 1_000);
        running -= 1;
      };
      const { sqs, arn, batches, context } = await world({ batchSize: 1, ...mapping }, then, {
        maxConcurrency,
      });
      for (let n = 0; n < 9; n += 1) sqs.send(arn, String(n));
      await context.clock.advance(9_000);
      expect([batches.length, peak]).toEqual([9, expected]);
    }
  });

  it('keeps a FIFO group in order, one batch at a time, and other groups moving', async () => {
    const active = new Set<string>();
    const order: string[] = [];
    let overlapped = false;
    const then = async ({ Records }: SQSEvent, context: TestContext): Promise<void> => {
      const groups = new Set(Records.map(({ attributes }) => attributes.MessageGroupId ?? ''));
      for (const group of groups) {
        overlapped ||= active.has(group);
        active.add(group);
      }
      await later(context, 100);
      for (const { body } of Records) order.push(body);
      for (const group of groups) active.delete(group);
    };
    const { sqs, arn, context } = await world({ batchSize: 2 }, then, { fifo: true });
    for (let n = 0; n < 8; n += 1) {
      sqs.send(arn, `a${n}`, { messageGroupId: 'a' });
      sqs.send(arn, `b${n}`, { messageGroupId: 'b' });
    }
    await context.clock.advance(2_000);
    expect(overlapped).toBe(false);
    for (const group of ['a', 'b']) {
      const own = order.filter((body) => body.startsWith(group));
      expect(own).toEqual(Array.from({ length: 8 }, (_, n) => `${group}${n}`));
    }
  });

  it('brings failed messages back sooner where that is wanted', async () => {
    let failures = 1;
    const then = (): void => {
      if (failures-- > 0) throw new Error('not yet');
    };
    const { sqs, arn, batches, context } = await world({}, then, { failedMessageDelayMs: 500 });
    sqs.send(arn, 'again');
    await context.clock.advance(500);
    expect(batches).toEqual([['again'], ['again']]);
  });

  it('takes up at once what a killed engine had in hand, and no message twice otherwise', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'berth-poller-'));
    try {
      const restart = (seed: number) =>
        testContext(
          { state: sqliteState(join(dir, 'state.db')), clock: virtualClock(Date.UTC(2026, 0, 1)) },
          seed,
        );
      const killed = await world({}, () => new Promise(() => {}), { fifo: true, context: restart(1) });
      killed.sqs.send(killed.arn, 'first', { messageGroupId: 'g' });
      await killed.context.clock.advance(0);
      killed.sqs.send(killed.arn, 'second', { messageGroupId: 'g' });
      expect(killed.batches).toEqual([['first']]);
      const next = await world({}, () => undefined, { fifo: true, context: restart(2) });
      await next.context.clock.advance(60_000);
      expect(next.batches.flat()).toEqual(['first', 'second']);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('does not give a running batch to anyone else when its mapping is changed', async () => {
    const then = (_event: SQSEvent, context: TestContext) => later(context, 2_000);
    const { sqs, arn, batches, context, call } = await world({}, then);
    sqs.send(arn, 'once');
    await context.clock.advance(0);
    const list = await call<{ EventSourceMappings: { UUID: string }[] }>('ListEventSourceMappings', {});
    await call('UpdateEventSourceMapping', { UUID: list.EventSourceMappings[0]?.UUID, BatchSize: 5 });
    await context.clock.advance(60_000);
    expect(batches).toEqual([['once']]);
  });

  it('stops when disabled and goes on when enabled', async () => {
    const { sqs, arn, batches, context, call } = await world({});
    const list = await call<{ EventSourceMappings: { UUID: string; State: string }[] }>(
      'ListEventSourceMappings',
      {},
    );
    const [mapping] = list.EventSourceMappings;
    expect(mapping?.State).toBe('Enabled');
    await call('UpdateEventSourceMapping', { UUID: mapping?.UUID, Enabled: false });
    sqs.send(arn, 'later');
    await context.clock.advance(60_000);
    expect(batches).toEqual([]);
    await call('UpdateEventSourceMapping', { UUID: mapping?.UUID, Enabled: true });
    await context.clock.advance(0);
    expect(batches).toEqual([['later']]);
  });

  it('is refused where the service refuses it', async () => {
    const { call, arn } = await world({});
    const base = { FunctionName: 'fn', EventSourceArn: arn };
    await expect(call('CreateEventSourceMapping', base)).rejects.toMatchObject({
      code: 'ResourceConflictException',
    });
    const absent = { ...base, EventSourceArn: `${arn}-absent` };
    await expect(call('CreateEventSourceMapping', absent)).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
    });
    for (const change of [
      { BatchSize: 11 },
      { ScalingConfig: { MaximumConcurrency: 1 } },
      { ParallelizationFactor: 2 },
    ]) {
      const list = await call<{ EventSourceMappings: { UUID: string }[] }>('ListEventSourceMappings', {});
      const input = { UUID: list.EventSourceMappings[0]?.UUID, ...change };
      await expect(call('UpdateEventSourceMapping', input)).rejects.toMatchObject({
        code: 'InvalidParameterValueException',
      });
    }
  });
});
