import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { type MergedWake, processWakes } from './wakeBatch.ts';

const record = (messageId: string, body: string): SQSRecord =>
  ({ messageId, body, attributes: {} }) as unknown as SQSRecord;
const wake = (cluster: string, ...taskIds: string[]): string =>
  JSON.stringify({ cluster, reason: 'test', taskIds });
const event = (...Records: SQSRecord[]): SQSEvent => ({ Records });
const context = (remainingMs: number): Context =>
  ({ getRemainingTimeInMillis: () => remainingMs }) as unknown as Context;

function telemetry() {
  const counted: string[] = [];
  return { counted, log: { error: () => {} }, metrics: { count: (name: string) => void counted.push(name) } };
}

test('wakes of one cluster become one piece of work with all their tasks', async () => {
  const work: [string, MergedWake][] = [];
  const response = await processWakes(
    telemetry(),
    event(record('1', wake('a', 't1')), record('2', wake('b')), record('3', wake('a', 't2', 't1'))),
    context(60_000),
    async (cluster, wake) => void work.push([cluster, wake]),
  );
  expect(work).toEqual([
    ['a', { taskIds: ['t1', 't2'] }],
    ['b', { taskIds: [] }],
  ]);
  expect(response.batchItemFailures).toEqual([]);
});

test('all hosts are to be seen unless every wake of the cluster says which have changed', async () => {
  const of = (cluster: string, changedHosts?: readonly string[]): string =>
    JSON.stringify({ cluster, reason: 'test', taskIds: [], changedHosts });
  const bodies = [
    ...[of('part', ['i-1']), of('part', []), of('part', ['i-2', 'i-1'])],
    ...[of('whole', ['i-1']), of('whole')],
    ...[0, 100, 200].map((from) =>
      of(
        'many',
        Array.from({ length: 99 }, (_, n) => `i-${from + n}`),
      ),
    ),
  ];
  const work = new Map<string, MergedWake>();
  await processWakes(
    telemetry(),
    event(...bodies.map((body, index) => record(String(index), body))),
    context(60_000),
    async (cluster, merged) => void work.set(cluster, merged),
  );
  expect(work.get('part')).toEqual({ taskIds: [], changedHosts: ['i-1', 'i-2'] });
  expect(work.get('whole')).toEqual({ taskIds: [] });
  expect(work.get('many')).toEqual({ taskIds: [] });
});

test('a cluster whose work fails gets all its messages again and leaves the others alone', async () => {
  const response = await processWakes(
    telemetry(),
    event(record('1', wake('a')), record('2', wake('b')), record('3', wake('a'))),
    context(60_000),
    async (cluster) => {
      if (cluster === 'a') throw new Error('no table');
    },
  );
  expect(response.batchItemFailures).toEqual([{ itemIdentifier: '1' }, { itemIdentifier: '3' }]);
});

test('a message that is no wake is counted and let go', async () => {
  const counters = telemetry();
  const bodies = ['', '{', '{"cluster":""}', '[]', '{"cluster":"a","reason":"r","taskIds":[1]}'];
  const response = await processWakes(
    counters,
    event(...bodies.map((body, index) => record(String(index), body))),
    context(60_000),
    () => Promise.reject(new Error('must not be called')),
  );
  expect(response.batchItemFailures).toEqual([]);
  expect(counters.counted).toEqual(bodies.map(() => 'MalformedMessages'));
});

test('work is not begun without time for it', async () => {
  let begun = false;
  const response = await processWakes(
    telemetry(),
    event(record('1', wake('a'))),
    context(1_000),
    async () => {
      begun = true;
    },
  );
  expect(begun).toBe(false);
  expect(response.batchItemFailures).toEqual([{ itemIdentifier: '1' }]);
});
