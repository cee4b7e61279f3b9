import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bfqWeight } from './ioWeight.ts';

test('ends and default of the two scales meet', () => {
  expect([1, 100, 10_000].map(bfqWeight)).toEqual([1, 100, 1_000]);
});

test('a heavier task stays the heavier one, within what BFQ takes', () => {
  const weights = fc.integer({ min: 1, max: 10_000 });
  fc.assert(
    fc.property(weights, weights, (one, other) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      expect(bfqWeight(low)).toBeLessThanOrEqual(bfqWeight(high));
      expect(bfqWeight(high)).toBeLessThanOrEqual(Math.max(high, 1));
      expect(Number.isInteger(bfqWeight(high)) && bfqWeight(low) >= 1 && bfqWeight(high) <= 1_000).toBe(true);
    }),
  );
});
