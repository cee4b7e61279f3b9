import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { type VirtualClock, virtualClock } from '../engine/testClock.ts';
import type { Checkpoint } from './checkpoint.ts';
import { FakeStream } from './fakeStream.ts';
import type { StreamBatch } from './shardReader.ts';
import { StreamReader, type StreamReaderOptions } from './streamReader.ts';

interface Bench {
  readonly stream: FakeStream;
  readonly clock: VirtualClock;
  readonly checkpoints: Collection<Checkpoint>;
  readonly lines: string[];
  /** Sequence numbers of the batches handed over, one string a batch. */
  readonly batches: string[];
}

const bench = (): Bench => ({
  stream: new FakeStream(),
  clock: virtualClock(),
  checkpoints: new Map<string, Checkpoint>(),
  lines: [],
  batches: [],
});

const numbersOf = ({ records }: StreamBatch): string[] =>
  records.map(({ dynamodb }) => dynamodb?.SequenceNumber ?? '?');

/** A started reader that notes its batches and then asks `handle`. */
function read(
  { stream, clock, checkpoints, lines, batches }: Bench,
  handle: (batch: StreamBatch) => string | undefined = () => undefined,
  over: Partial<StreamReaderOptions> = {},
): StreamReader {
  const reader = new StreamReader({
    client: stream.client,
    streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1',
    consumer: 'mapping-1',
    checkpoints,
    clock,
    batchSize: 10,
    log: (line) => lines.push(line),
    onRecords: async (batch) => {
      batches.push(numbersOf(batch).join(' '));
      return handle(batch);
    },
    ...over,
  });
  reader.start();
  return reader;
}

test('hands over everything from the beginning, in order and in batches', async () => {
  const { stream, clock, batches, ...rest } = bench();
  stream.addShard('a');
  stream.write('a', 25);
  read({ stream, clock, batches, ...rest });
  await clock.advance(1_000);
  expect(batches.map((batch) => batch.split(' ').length)).toEqual([10, 10, 5]);
  expect(batches.join(' ')).toBe(Array.from({ length: 25 }, (_, index) => index + 1).join(' '));
});

test('a write that wakes the reader is handed over without any time passing', async () => {
  const it = bench();
  it.stream.addShard('a');
  const reader = read(it);
  await it.clock.advance(60_000);
  it.stream.write('a');
  reader.wake();
  await it.clock.advance(0);
  expect(it.batches).toEqual(['1']);
});

test('a write nobody told of is found within 200 ms, and an idle hour costs at most five polls a second', async () => {
  const it = bench();
  it.stream.addShard('a');
  read(it);
  await it.clock.advance(3_600_000);
  expect(it.stream.reads).toBeLessThan(3_600 * 5 + 10);
  it.stream.write('a');
  await it.clock.advance(200);
  expect(it.batches).toEqual(['1']);
});

test('goes on behind the last record dealt with after a restart', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a', 3);
  const first = read(it);
  await it.clock.advance(100);
  await first.stop();
  it.stream.write('a', 2);
  read(it);
  await it.clock.advance(100);
  expect(it.batches).toEqual(['1 2 3', '4 5']);
});

test('a batch that throws is handed over again, ever later, until it is dealt with', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a', 2);
  const attempts: [number, number][] = [];
  const start = it.clock.now();
  read(it, ({ attempt }) => {
    attempts.push([attempt, it.clock.now() - start]);
    if (attempt < 4) throw new Error('not yet');
    return undefined;
  });
  await it.clock.advance(60_000);
  expect(it.batches).toEqual(['1 2', '1 2', '1 2', '1 2']);
  expect(attempts).toEqual([
    [1, 0],
    [2, 100],
    [3, 300],
    [4, 700],
  ]);
});

test('a partial failure comes again from the record it names', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a', 5);
  read(it, (batch) => (batch.records.length === 5 ? '3' : undefined));
  await it.clock.advance(1_000);
  expect(it.batches).toEqual(['1 2 3 4 5', '3 4 5']);
});

test('a failure that names a record not in the batch is the whole batch again', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a', 2);
  read(it, ({ attempt }) => (attempt === 1 ? 'unknown' : undefined));
  await it.clock.advance(1_000);
  expect(it.batches).toEqual(['1 2', '1 2']);
});

test('records behind a failing batch wait for it', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a');
  let broken = true;
  const reader = read(it, () => {
    if (broken) throw new Error('broken');
    return undefined;
  });
  await it.clock.advance(1_000);
  it.stream.write('a');
  reader.wake();
  await it.clock.advance(1_000);
  expect(new Set(it.batches)).toEqual(new Set(['1']));
  broken = false;
  await it.clock.advance(20_000);
  expect(it.batches.slice(-2)).toEqual(['1', '2']);
});

test('children are read when their parent is finished, and not before', async () => {
  const it = bench();
  it.stream.addShard('parent');
  it.stream.addShard('left', 'parent');
  it.stream.addShard('right', 'parent');
  it.stream.write('parent', 2);
  it.stream.write('left');
  it.stream.write('right');
  read(it);
  await it.clock.advance(60_000);
  expect(it.batches).toEqual(['1 2']);
  it.stream.close('parent');
  await it.clock.advance(60_000);
  expect(it.batches.toSorted()).toEqual(['1 2', '3', '4']);
});

test('LATEST skips what was there, but nothing of a shard that came later', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a', 2);
  read(it, undefined, { startAt: 'LATEST' });
  await it.clock.advance(1_000);
  it.stream.write('a');
  await it.clock.advance(1_000);
  it.stream.close('a');
  it.stream.addShard('b', 'a');
  it.stream.write('b');
  await it.clock.advance(1_000);
  expect(it.batches).toEqual(['3', '4']);
});

test('expired iterators, trimmed records and a database that is away are got over', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a', 1);
  const reader = read(it);
  await it.clock.advance(1_000);
  it.stream.expireIterators();
  it.stream.write('a', 1);
  await it.clock.advance(1_000);
  it.stream.failures.push(
    new ServiceError('InternalServerError', 'away', 500),
    new ServiceError('InternalServerError', 'away', 500),
  );
  it.stream.write('a', 1);
  await it.clock.advance(1_000);
  await reader.stop();
  it.stream.write('a', 3);
  it.stream.trim('a', 6);
  read(it);
  await it.clock.advance(1_000);
  expect(it.batches).toEqual(['1', '2', '3', '6']);
  expect(it.lines.filter((line) => line.includes('away'))).toHaveLength(1);
  expect(it.lines.filter((line) => line.includes('trimmed'))).toHaveLength(1);
});

test('stop waits for the batch in hand and asks for nothing more', async () => {
  const it = bench();
  it.stream.addShard('a');
  it.stream.write('a');
  const gate = Promise.withResolvers<undefined>();
  const reader = read(it, undefined, { onRecords: () => gate.promise });
  await it.clock.advance(100);
  let stopped = false;
  const stopping = reader.stop().then(() => {
    stopped = true;
  });
  await it.clock.advance(1_000);
  expect(stopped).toBe(false);
  gate.resolve(undefined);
  await stopping;
  const { reads } = it.stream;
  await it.clock.advance(10_000);
  expect(it.stream.reads).toBe(reads);
  read(it);
  await it.clock.advance(100);
  expect(it.batches).toEqual([]);
});

describe('whatever fails and whenever it restarts', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 500 }) }),
      fc.constant({ kind: 'restart' as const }),
      fc.constant({ kind: 'expire' as const }),
      fc.constant({ kind: 'outage' as const }),
    ),
    { maxLength: 25 },
  );

  test('every record is dealt with in order, and none again after it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.integer({ min: -2, max: 9 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 8 }),
        async (script, verdicts, batchSize) => {
          const it = bench();
          it.stream.addShard('a');
          const dealtWith: number[] = [];
          let written = 0;
          const queue = [...verdicts];
          const handle = (batch: StreamBatch): string | undefined => {
            const numbers = numbersOf(batch);
            const verdict = queue.shift() ?? -1;
            if (verdict === -2) throw new Error('whole batch');
            const failedAt = verdict < 0 || verdict >= numbers.length ? numbers.length : verdict;
            dealtWith.push(...numbers.slice(0, failedAt).map(Number));
            return numbers[failedAt];
          };
          let reader = read(it, handle, { batchSize });
          for (const step of script) {
            if (step.kind === 'write') written += it.stream.write('a', step.count).length;
            else if (step.kind === 'pass') await it.clock.advance(step.ms);
            else if (step.kind === 'expire') it.stream.expireIterators();
            else if (step.kind === 'outage')
              it.stream.failures.push(new ServiceError('InternalServerError', 'x', 500));
            else {
              const stopping = reader.stop();
              await it.clock.advance(0);
              await stopping;
              reader = read(it, handle, { batchSize });
            }
          }
          await it.clock.advance(120_000);
          expect(dealtWith).toEqual(Array.from({ length: written }, (_, index) => index + 1));
        },
      ),
      { numRuns: 100 },
    );
  });
});
