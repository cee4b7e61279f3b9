import type { DynamoDBStreamEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { testContext } from '../../engine/testContext.ts';
import type { InProcessHandler } from '../inProcessRunner.ts';
import { type TestLambda, testLambda } from '../testLambda.ts';
import type { MappingSpec } from './mapping.ts';
import type { StreamReading, StreamRecord, StreamSource } from './streamSource.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000';

/** A stream held in memory: what is pushed goes to every reader that has not had it. */
class TestStream implements StreamSource {
  readonly arn = ARN;
  readonly #records: StreamRecord[] = [];
  readonly #now: () => number;
  #wake: (() => void)[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  push(...bodies: string[]): void {
    for (const body of bodies) {
      const sequenceNumber = String(this.#records.length + 1).padStart(6, '0');
      this.#records.push({
        eventID: `event-${sequenceNumber}`,
        eventName: 'INSERT',
        sequenceNumber,
        createdMs: this.#now(),
        keys: { pk: { S: body } },
        newImage: { pk: { S: body }, raw: { B: Uint8Array.of(1, 2) } },
        sizeBytes: 10,
        viewType: 'NEW_AND_OLD_IMAGES',
      });
    }
    for (const wake of this.#wake.splice(0)) wake();
  }

  read({ progress, onRecords }: StreamReading): { stop(): Promise<void> } {
    let stopped = false;
    const loop = async (): Promise<void> => {
      let next = this.#records.findIndex(
        ({ sequenceNumber }) => sequenceNumber > (progress('shard-1').sequenceNumber ?? ''),
      );
      if (next === -1) next = this.#records.length;
      while (!stopped) {
        const records = this.#records.slice(next);
        next += records.length;
        if (records.length > 0) await onRecords('shard-1', records);
        else await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    void loop();
    return {
      stop: async () => {
        stopped = true;
      },
    };
  }
}

function world(
  mapping: Partial<MappingSpec>,
  then: (bodies: string[], event: DynamoDBStreamEvent) => unknown = () => undefined,
): TestLambda & { stream: TestStream; batches: string[][]; lastEvent(): DynamoDBStreamEvent | undefined } {
  const context = testContext();
  const stream = new TestStream(() => context.clock.now());
  const batches: string[][] = [];
  let last: DynamoDBStreamEvent | undefined;
  const handler: InProcessHandler = (raw) => {
    last = raw as DynamoDBStreamEvent;
    const bodies = last.Records.map((record) => record.dynamodb?.Keys?.pk?.S ?? '');
    batches.push(bodies);
    return then(bodies, last);
  };
  const test = testLambda(
    { fn: handler },
    {},
    {
      context,
      sources: { queue: () => undefined, stream: (arn) => (arn === ARN ? stream : undefined) },
    },
  );
  test.lambda.createEventSourceMapping({
    functionName: 'fn',
    eventSourceArn: ARN,
    startingPosition: 'TRIM_HORIZON',
    ...mapping,
  });
  test.lambda.start();
  return { ...test, stream, batches, lastEvent: () => last };
}

describe('a stream mapped to a function', () => {
  it('hands over records in order and in the real shape', async () => {
    const { stream, batches, context, lastEvent } = world({ batchSize: 2 });
    stream.push('a', 'b', 'c');
    await context.clock.advance(0);
    expect(batches).toEqual([['a', 'b'], ['c']]);
    expect(lastEvent()?.Records[0]).toEqual({
      eventID: 'event-000003',
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: context.clock.now() / 1000,
        Keys: { pk: { S: 'c' } },
        NewImage: { pk: { S: 'c' }, raw: { B: 'AQI=' } },
        SequenceNumber: '000003',
        SizeBytes: 10,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: ARN,
    });
  });

  it('holds back what follows a failed batch and tries it again', async () => {
    let failures = 2;
    const { stream, batches, context } = world({ batchSize: 1 }, () => {
      if (failures-- > 0) throw new Error('not yet');
    });
    stream.push('a', 'b');
    await context.clock.advance(500);
    stream.push('c');
    await context.clock.advance(499);
    expect(batches).toEqual([['a']]);
    await context.clock.advance(10_000);
    expect(batches).toEqual([['a'], ['a'], ['a'], ['b'], ['c']]);
  });

  it('halves a failing batch until the poisoned record is alone, and gives that one up', async () => {
    const onFailureArn = 'arn:aws:sqs:us-east-1:000000000000:failed';
    const done: string[] = [];
    const { stream, context, delivered } = world(
      { bisectBatchOnFunctionError: true, maximumRetryAttempts: 1, onFailureArn },
      (bodies) => {
        if (bodies.includes('poison')) throw new Error('no');
        done.push(...bodies);
      },
    );
    stream.push('a', 'b', 'poison', 'c', 'd');
    await context.clock.advance(60_000);
    expect(done).toEqual(['a', 'b', 'c', 'd']);
    expect(delivered).toHaveLength(1);
    expect(JSON.parse(delivered[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      DDBStreamBatchInfo: {
        shardId: 'shard-1',
        startSequenceNumber: '000003',
        endSequenceNumber: '000003',
        batchSize: 1,
        streamArn: ARN,
      },
    });
  });

  it('begins again at the first record a handler reports', async () => {
    let rounds = 0;
    const { stream, batches, context } = world({ reportBatchItemFailures: true }, (bodies, event) => {
      rounds += 1;
      const at = bodies.indexOf('b');
      const itemIdentifier = event.Records[at]?.dynamodb?.SequenceNumber;
      return rounds === 1 ? { batchItemFailures: [{ itemIdentifier }] } : undefined;
    });
    stream.push('a', 'b', 'c');
    await context.clock.advance(10_000);
    expect(batches).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('passes over records that are too old', async () => {
    const { stream, batches, context, delivered } = world(
      { maximumRecordAgeSeconds: 60, onFailureArn: 'arn:aws:sqs:us-east-1:000000000000:failed' },
      (bodies) => {
        if (bodies.includes('a')) throw new Error('never');
      },
    );
    stream.push('a');
    await context.clock.advance(300_000);
    stream.push('b');
    await context.clock.advance(0);
    expect(batches.at(-1)).toEqual(['b']);
    expect(JSON.parse(delivered[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded' },
    });
  });

  it('passes over records no filter wants', async () => {
    const filterPatterns = [
      '{"eventName":["REMOVE"]}',
      '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"task-"}]}}}}',
    ];
    const { stream, batches, context } = world({ filterPatterns });
    stream.push('host-1', 'task-1', 'host-2');
    await context.clock.advance(0);
    expect(batches).toEqual([['task-1']]);
  });

  it('goes on from its checkpoint after being disabled, missing nothing', async () => {
    const { stream, batches, context, call } = world({});
    stream.push('a');
    await context.clock.advance(0);
    const list = await call<{ EventSourceMappings: { UUID: string }[] }>('ListEventSourceMappings', {});
    const UUID = list.EventSourceMappings[0]?.UUID;
    await call('UpdateEventSourceMapping', { UUID, Enabled: false });
    stream.push('b');
    await context.clock.advance(1_000);
    await call('UpdateEventSourceMapping', { UUID, Enabled: true });
    await context.clock.advance(0);
    expect(batches).toEqual([['a'], ['b']]);
  });

  it('gathers for the batching window', async () => {
    const { stream, batches, context } = world({ maximumBatchingWindowSeconds: 2, batchSize: 3 });
    stream.push('a');
    await context.clock.advance(1_000);
    stream.push('b');
    await context.clock.advance(999);
    expect(batches).toEqual([]);
    await context.clock.advance(1);
    expect(batches).toEqual([['a', 'b']]);
    stream.push('c', 'd', 'e');
    await context.clock.advance(0);
    expect(batches.at(-1)).toEqual(['c', 'd', 'e']);
  });
});
