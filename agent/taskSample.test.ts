import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatKeyed } from './taskSample.ts';

const stat = 'usage_usec 12\nuser_usec 7\nnr_throttled 3\nthrottled_usec 40\n';

test('a value is found by its whole name, wherever its line is', () => {
  expect(flatKeyed(stat, 'usage_usec')).toBe(12);
  expect(flatKeyed(stat, 'throttled_usec')).toBe(40);
  expect(flatKeyed('max 5', 'max')).toBe(5);
  for (const absent of ['usec', 'usage', 'throttled', '']) expect(flatKeyed(stat, absent)).toBeUndefined();
  expect(flatKeyed('', 'max')).toBeUndefined();
});

test('every value of a file is found', () => {
  const name = fc.stringMatching(/^[a-z_]{1,9}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.nat()), (values) => {
      const content = Object.entries(values)
        .map(([key, value]) => `${key} ${value}\n`)
        .join('');
      for (const [key, value] of Object.entries(values)) expect(flatKeyed(content, key)).toBe(value);
    }),
  );
});
