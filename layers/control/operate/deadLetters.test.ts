import { expect, it } from 'vitest';
import { createMemoryStore } from '../../../local/sim/memoryStore.ts';
import { aCluster, aTask } from '../../../test/support/records.ts';
import { requestEvent } from '../../../test/support/requestEvent.ts';
import type { DeadLetter } from '../../ports/deadLetters.ts';
import { taskIdOf } from '../taskId.ts';
import { countDeadLetters, explainDeadLetter, listDeadLetters } from './deadLetters.ts';

const now = 1_790_000_100_000;

async function worldWith(letters: readonly DeadLetter[]) {
  const store = createMemoryStore();
  await store.ensureCluster(aCluster());
  return {
    store,
    clock: { now: () => now },
    deadLetters: {
      queues: ['launch', 'wake'],
      count: async (queue: string) => ({ queue, messages: letters.length, inFlight: 0 }),
      list: async (_queue: string, limit: number) => letters.slice(0, limit),
      find: async (_queue: string, id: string) => letters.find(({ messageId }) => messageId === id),
      redriveAll: async () => 'started' as const,
      redriveOne: async () => 'redriven' as const,
    },
  };
}

const requested = requestEvent({ cluster: 'prod', taskDefinition: 'web', idempotencyKey: 'order-9' });
const letter = (messageId: string, body: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  messageId,
  body,
  sentAt: now - 60_000,
  ...more,
});

it('names the task that a request asked for, and says whether a redrive starts or joins it', async () => {
  const world = await worldWith([letter('m1', requested)]);
  const taskId = taskIdOf('shop', 'order-9', 0);
  const explained = await explainDeadLetter(world, 'launch', 'm1');
  expect(explained).toMatchObject({ taskId, ageSeconds: 60, body: requested });
  expect(explained?.why).toContain('the log of berth-accept names the error beside messageId m1');
  expect(explained?.next).toContain('not on record');
  await world.store.acceptTask(aTask({ taskId }));
  expect((await explainDeadLetter(world, 'launch', 'm1'))?.next).toBe(
    'its task is on record, PENDING: a redrive joins it',
  );
});

it('lists the oldest first, with what EventBridge said of those it could not deliver', async () => {
  const undelivered = letter('m2', requested, { sentAt: now - 90_000, undelivered: 'NO_PERMISSIONS' });
  const world = await worldWith([letter('m1', requested), undelivered]);
  const { letters } = await listDeadLetters(world, 'launch', 10);
  expect(letters.map(({ messageId, ageSeconds }) => [messageId, ageSeconds])).toEqual([
    ['m2', 90],
    ['m1', 60],
  ]);
  expect(letters[0]?.why).toBe('EventBridge could not deliver it: NO_PERMISSIONS');
  expect(await countDeadLetters(world)).toHaveLength(2);
});

it.each([
  ['{', 'no JSON', 'a redrive only drops it'],
  ['null', 'an event without a detail-type', 'redrive it once'],
  ['{"cluster":"prod","reason":"resumed","taskIds":[]}', 'a wake of prod: resumed', 'redrive it once'],
  ['{"cluster":"gone","reason":"resumed","taskIds":[]}', 'a wake of gone: resumed', 'declare it first'],
  ['{"detail-type":"ECS Task State Change"}', 'ECS Task State Change', 'redrive it once'],
])('tells what %s is about', async (body, about, next) => {
  const explained = await explainDeadLetter(await worldWith([letter('m1', body)]), 'wake', 'm1');
  expect(explained?.about).toBe(about);
  expect(explained?.next).toContain(next);
});

it('knows no message that the queue does not show', async () => {
  expect(await explainDeadLetter(await worldWith([]), 'launch', 'm1')).toBeUndefined();
});
