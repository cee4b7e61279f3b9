import { expect, test } from 'vitest';
import { commandOf } from './command.ts';

const noFile = (): string => {
  throw new Error('no file is read');
};

test('words become the fields of a command', () => {
  expect(commandOf(['status', 'demo'], noFile)).toEqual({ operation: 'status', cluster: 'demo' });
  expect(commandOf(['list', 'demo', 'PENDING'], noFile)).toEqual({
    operation: 'list',
    cluster: 'demo',
    states: ['PENDING'],
  });
  expect(commandOf(['drain', 'demo', 'i-1', 'old kernel'], noFile)).toEqual({
    operation: 'drain',
    cluster: 'demo',
    hostId: 'i-1',
    reason: 'old kernel',
  });
});

test('a weight is a number', () => {
  expect(commandOf(['weight', 'demo', 'shop', '2.5'], noFile)).toEqual({
    operation: 'weight',
    cluster: 'demo',
    source: 'shop',
    weight: 2.5,
  });
});

test('dead letters are asked for by queue and message', () => {
  expect(commandOf(['dead-letters'], noFile)).toEqual({ operation: 'dead-letters' });
  expect(commandOf(['redrive', 'launch', 'm-1'], noFile)).toEqual({
    operation: 'redrive',
    queue: 'launch',
    messageId: 'm-1',
  });
});

test('a request is read from its file', () => {
  expect(commandOf(['submit', 'r.json'], () => '{"cluster":"demo"}')).toEqual({
    operation: 'submit',
    request: { cluster: 'demo' },
  });
});

test('a change of a pool is JSON', () => {
  expect(commandOf(['pool', 'demo', 'default', '{"maxHosts":20}'], noFile)).toEqual({
    operation: 'pool',
    cluster: 'demo',
    pool: 'default',
    change: { maxHosts: 20 },
  });
  expect(commandOf(['pool', 'demo', 'default', 'maxHosts=20'], noFile)).toMatch(/^The change is no JSON: /);
});

test.each([
  [['dance'], 'There is no command "dance".'],
  [['drain', 'demo'], 'drain needs hostId.'],
  [['status', 'demo', 'more'], 'status takes no "more".'],
])('%j is told what is off', (words, sentence) => {
  expect(commandOf(words, noFile)).toBe(sentence);
});

test('a request that is no JSON is told so', () => {
  expect(commandOf(['submit', 'r.json'], () => '{')).toMatch(/^The request could not be read: /);
});
