import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { virtualClock } from './testClock.ts';
import { TokenBucket } from './tokenBucket.ts';

describe('TokenBucket', () => {
  it('never gives more than its burst and its rate, and never starves a caller that waits', async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 3000 }),
      calls: fc.integer({ min: 0, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const clock = virtualClock();
        const bucket = new TokenBucket(clock, 50, 10);
        const startMs = clock.now();
        let given = 0;
        for (const { waitMs, calls } of steps) {
          await clock.advance(waitMs);
          for (let call = 0; call < calls; call++) given += Number(bucket.take());
          expect(given).toBeLessThanOrEqual(50 + ((clock.now() - startMs) / 1000) * 10 + 1e-6);
        }
        await clock.advance(100);
        expect(bucket.take()).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
