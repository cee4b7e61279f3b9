import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenBucket } from './tokenBucket.ts';

function manualClock(start = 0) {
  let now = start;
  return {
    now: () => now,
    advance: (ms: number): void => {
      now += ms;
    },
  };
}

const takeAll = (bucket: { take(): boolean }, tries: number): number =>
  Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;

describe('the bucket', () => {
  it('gives its burst, then as much as has flowed in', () => {
    const clock = manualClock();
    const bucket = createTokenBucket(clock, 10, 5);
    expect(takeAll(bucket, 20)).toBe(10);
    clock.advance(1000);
    expect(takeAll(bucket, 20)).toBe(5);
  });

  it('starts anew from nothing after the service has refused', () => {
    const clock = manualClock();
    const bucket = createTokenBucket(clock, 10, 10);
    bucket.drain();
    expect(bucket.take()).toBe(false);
    clock.advance(100);
    expect(takeAll(bucket, 5)).toBe(1);
  });

  it('never gives more than burst plus rate times time, however it is asked and whichever way the clock goes', () => {
    const steps = fc.array(fc.record({ ms: fc.integer({ min: -500, max: 2000 }), takes: fc.nat(30) }));
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        (all, burst, rate) => {
          const clock = manualClock(1_000_000);
          const bucket = createTokenBucket(clock, burst, rate);
          let taken = 0;
          let forwardMs = 0;
          for (const { ms, takes } of all) {
            clock.advance(ms);
            forwardMs += Math.max(0, ms);
            taken += takeAll(bucket, takes);
          }
          expect(taken).toBeLessThanOrEqual(burst + (forwardMs * rate) / 1000 + 1e-6);
        },
      ),
    );
  });
});
