import { expect, test } from 'vitest';
import { commandFor, readOptions } from './options.ts';
import { durationOf } from './progress.ts';

test('a command to repeat a seed names whatever makes its plan another', () => {
  expect(commandFor(5, 1, readOptions([]))).toBe('npm run simulate -- --seeds 1 --seed 5');
  const harsh = readOptions(['--tasks', '20', '--hosts', '3', '--severity', '6', '--keep-going']);
  expect(commandFor(5, 1, harsh)).toBe(
    'npm run simulate -- --seeds 1 --seed 5 --tasks 20 --hosts 3 --severity 6',
  );
  expect(commandFor(9, 40, harsh)).toMatch(/^npm run simulate -- --seeds 40 --seed 9 .* --keep-going$/);
});

test.each(['--seeds=0', '--severity=-1', '--severity=much', '--jobs=0', '--tasks=1.5'])(
  '%s is refused',
  (word) => {
    expect(() => readOptions([word])).toThrow(/^--\w+ must be /);
  },
);

test.each([
  [200, '1 s'],
  [59_000, '59 s'],
  [61_000, '2 min'],
  [3_600_000, '1 h 0 min'],
  [36_123_000, '10 h 3 min'],
])('%i ms is %s', (ms, text) => expect(durationOf(ms)).toBe(text));
