import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { host, pool } from '../placement/testWorld.ts';
import { breakEvenWaitMs, idleCostMs, idleWait } from './breakEven.ts';

const gaps = fc.array(fc.integer({ min: 0, max: 500_000 }), { maxLength: 40 });
const bootWorth = fc.integer({ min: 1, max: 120_000 });

describe('breakEvenWaitMs', () => {
  it('never costs more than twice what foresight would, nor more than always waiting for the break-even', () => {
    fc.assert(
      fc.property(gaps, bootWorth, (observed, boot) => {
        const wait = breakEvenWaitMs(boot, observed);
        const foresight = observed.reduce((sum, gap) => sum + Math.min(gap, boot), 0);
        expect(wait).toBeLessThanOrEqual(boot);
        expect(idleCostMs(wait, boot, observed)).toBeLessThanOrEqual(2 * foresight + 1e-6);
        expect(idleCostMs(wait, boot, observed)).toBeLessThanOrEqual(idleCostMs(boot, boot, observed));
      }),
    );
  });

  it('gives hosts back at once when gaps are long, and bridges short ones', () => {
    const many = (gap: number): number[] => new Array<number>(20).fill(gap);
    expect(breakEvenWaitMs(60_000, many(600_000))).toBe(0);
    expect(breakEvenWaitMs(60_000, many(5_000))).toBe(5_000);
    expect(breakEvenWaitMs(60_000, [])).toBe(60_000);
  });
});

describe('idleWait', () => {
  const hosts = Array.from({ length: 800 }, (_, n) => host({ hostId: `i-${n}`, idleSince: n * 1000 }));

  it('is what gaps make worth while, but for one host in eight, by which long gaps are still seen', () => {
    const learned = pool({ idleHostMs: 60_000, idleGapsMs: Array(8).fill(5_000) });
    const waits = hosts.map((each) => idleWait(learned, each));
    expect(new Set(waits.map(({ waitMs, full }) => `${waitMs} ${full}`))).toEqual(
      new Set(['5000 false', '60000 true']),
    );
    const probes = waits.filter(({ full }) => full).length;
    expect(probes).toBeGreaterThan(70);
    expect(probes).toBeLessThan(130);
  });

  it('is full for every host while nothing was observed', () => {
    for (const each of hosts) {
      expect(idleWait(pool({ idleHostMs: 60_000 }), each)).toEqual({ waitMs: 60_000, full: true });
    }
  });
});
