import { marshall } from '@aws-sdk/util-dynamodb';
import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { expect, it } from 'vitest';
import { createHandler } from '../../functions/publish/handler.ts';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { aCluster, aHost } from '../../test/support/records.ts';
import type { TaskArray } from '../domain/model/array.ts';
import { outgoingParsers } from '../events/out/outgoing.ts';
import { parseTaskRequest } from '../events/taskRequested/parse.ts';
import type { OutgoingEvent } from '../ports/bus.ts';
import { acceptRequest } from './accept.ts';
import { schedulePass } from './schedulePass.ts';
import { settleAttempt } from './settleAttempt.ts';
import { fakeWorld } from './testWorld.ts';

const record = (kind: 'TASK' | 'ARRAY', before: object | undefined, after: object): DynamoDBRecord => {
  const image = (item: object) => marshall({ kind, ...item }, { removeUndefinedValues: true });
  return {
    dynamodb: {
      SequenceNumber: '17',
      NewImage: image(after),
      ...(before && { OldImage: image(before) }),
    },
  } as unknown as DynamoDBRecord;
};

it('gives each member its index, and announces the end of the last', async () => {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster());
  await store.addHost(aHost());
  const parsed = parseTaskRequest({ cluster: 'prod', taskDefinition: 'web', count: 3, array: true });
  if (!parsed.ok) throw new Error('refused');
  const accepted = await acceptRequest(world, parsed.value, { source: 'shop', idempotencyKey: 'batch-1' });
  if (accepted.outcome !== 'accepted') throw new Error('rejected');
  const ids = accepted.tasks.map(({ taskId }) => taskId);
  await schedulePass(world, 'prod', ids);
  const indexes = world.launched.map(({ containers }) => containers[0]?.environment?.BERTH_ARRAY_INDEX);
  expect(indexes.toSorted()).toEqual(['0', '1', '2']);

  const published: OutgoingEvent[] = [];
  let broken = false;
  const publish = createHandler({
    log: { ...world.log, debug: () => {}, with: () => {}, begin: () => {} },
    metrics: { ...world.metrics, flush: () => {} },
    bus: { publish: async (events) => void published.push(...events) },
    store: {
      countArrayMember: (member) =>
        broken ? Promise.reject(new Error('throttled')) : store.countArrayMember(member),
    },
  });
  const tell = (...Records: DynamoDBRecord[]) =>
    publish({ Records } satisfies DynamoDBStreamEvent, {} as Context);
  for (const taskId of ids) {
    const before = await store.getTask(taskId);
    if (before) await settleAttempt(world, before, { cause: 'EXIT_ZERO', detail: 'done', exitCode: 0 });
    const change = record('TASK', before, (await store.getTask(taskId)) ?? {});
    broken = true;
    expect((await tell(change)).batchItemFailures).toEqual([{ itemIdentifier: '17' }]);
    broken = false;
    expect((await store.getArray(ids[0] ?? ''))?.endedAt).toBeUndefined();
    for (let repeat = 0; repeat < 2; repeat += 1) await tell(change);
  }
  const ended = (await store.getArray(ids[0] ?? '')) as TaskArray;
  expect(ended).toMatchObject({ size: 3, succeeded: 3, failed: 0, cancelled: 0 });
  published.length = 0;
  const { endedAt: _endedAt, ...open } = ended;
  await tell(record('ARRAY', undefined, open), record('ARRAY', open, ended), record('ARRAY', ended, ended));
  expect(published.map(({ detailType }) => detailType)).toEqual(['Task Array Ended']);
  const envelope = {
    version: '0',
    id: 'e1',
    account: '123456789012',
    region: 'us-east-1',
    time: '2026-11-24T00:00:00Z',
    source: 'berth',
    'detail-type': 'Task Array Ended',
    resources: [],
    detail: published[0]?.detail,
  };
  expect(outgoingParsers['Task Array Ended']?.(envelope)).toMatchObject({ ok: true });
});
