import { expect, test } from 'vitest';
import { aBought, anOrder, aTask } from '../../test/support/records.ts';
import type { Task } from '../domain/model/task.ts';
import { announcePurchase, announceTask } from './announce.ts';

const types = (before: Task | undefined, after: Task): string[] =>
  announceTask(before, after).map(({ detailType }) => detailType);
const pending = aTask();
const placed = aTask({ state: 'PLACED', hostId: 'i-1', placedAt: 2_000 });
const running = aTask({ ...placed, state: 'RUNNING', startedAt: 3_000 });
const stopped = { code: 'STOPPED', cause: 'EXIT_ZERO', detail: 'done' } as const;

test('each step of a task is announced once', () => {
  expect(types(undefined, pending)).toEqual(['Task Accepted']);
  expect(types(pending, placed)).toEqual(['Task Placed']);
  expect(types(placed, running)).toEqual(['Task Running']);
  expect(types(running, aTask({ ...running, state: 'SUCCEEDED', reason: stopped, endedAt: 4_000 }))).toEqual([
    'Task Succeeded',
  ]);
});

test('what nobody needs to hear of is not announced', () => {
  expect(types(placed, { ...placed, ecsTaskArn: 'arn' })).toEqual([]);
  expect(types(running, { ...running, ecsVersion: 7 })).toEqual([]);
  expect(types(pending, { ...pending })).toEqual([]);
});

test('waiting is announced when it begins and when its reason changes', () => {
  const waits = (detail: string): Task =>
    aTask({
      reason: { code: 'WAITING', detail, explanation: { hostsConsidered: 0, refusals: {}, next: detail } },
    });
  expect(types(pending, waits('a'))).toEqual(['Task Waiting']);
  expect(types(waits('a'), waits('b'))).toEqual(['Task Waiting']);
  expect(types(waits('a'), waits('a'))).toEqual([]);
});

test('a process that was over before its start was on record is announced as started and ended', () => {
  const ended = aTask({
    ...placed,
    state: 'SUCCEEDED',
    reason: stopped,
    startedAt: 3_000,
    endedAt: 3_010,
    exitCode: 0,
  });
  const [started, end] = announceTask(placed, ended);
  expect(started).toMatchObject({
    detailType: 'Task Running',
    detail: { state: 'RUNNING', startedAt: 3_000 },
  });
  expect(started?.detail).not.toHaveProperty('endedAt');
  expect(end).toMatchObject({ detailType: 'Task Succeeded', detail: { exitCode: 0 } });
});

test('an attempt that never started is announced by its end alone', () => {
  const failed = { code: 'IMPOSSIBLE', detail: 'no' } as const;
  expect(types(placed, aTask({ ...placed, state: 'FAILED', reason: failed, endedAt: 3_000 }))).toEqual([
    'Task Failed',
  ]);
});

test('a purchase is announced when its order is closed, by whoever closes it', () => {
  const closed = anOrder({
    state: 'DONE',
    bought: [aBought(), aBought({ zone: 'b', hostIds: ['i-2', 'i-3'] })],
  });
  expect(announcePurchase(anOrder(), closed)).toEqual([
    expect.objectContaining({ detailType: 'Cluster Scaled', resources: ['i-1', 'i-2', 'i-3'] }),
  ]);
  expect(announcePurchase(closed, closed)).toEqual([]);
  // The stream has the pool's order replaced by its next one.
  expect(announcePurchase(closed, anOrder({ orderId: 'order2' }))).toEqual([]);
  expect(announcePurchase(anOrder(), anOrder({ state: 'FAILED' }))).toEqual([]);
});

test('a purchase of thousands is announced in parts that PutEvents takes', () => {
  const hostIds = Array.from({ length: 1_201 }, (_, index) => `i-${index}`);
  const parts = announcePurchase(anOrder(), anOrder({ state: 'DONE', bought: [aBought({ hostIds })] }));
  expect(parts.map(({ resources }) => resources.length)).toEqual([500, 500, 201]);
});
