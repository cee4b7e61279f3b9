import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, retryBackoff } from './backoff.ts';

const steps = fc.integer({ min: 1, max: 1_000 });

test('a wait lies between half its step and the whole, and never above the cap', () => {
  fc.assert(
    fc.property(steps, fc.string(), (step, seed) => {
      const ceiling = Math.min(retryBackoff.maxMs, retryBackoff.baseMs * 2 ** Math.min(step - 1, 30));
      const wait = backoffMs(step, seed);
      expect(wait).toBeGreaterThanOrEqual(Math.floor(ceiling / 2));
      expect(wait).toBeLessThanOrEqual(ceiling);
    }),
  );
});

test('the same step of the same task waits the same, so that a pass repeated decides the same', () => {
  fc.assert(
    fc.property(steps, fc.string(), (step, seed) => {
      const again = backoffMs(step, seed);
      expect(backoffMs(step, seed)).toBe(again);
    }),
  );
});

test('a hundred tasks that fail together do not come back together', () => {
  const waits = new Set(Array.from({ length: 100 }, (_, index) => backoffMs(3, `task-${index}`)));
  expect(waits.size).toBeGreaterThan(80);
});
