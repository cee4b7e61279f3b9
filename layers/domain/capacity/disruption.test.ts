import { describe, expect, it } from 'vitest';
import { claim, host, pool } from '../placement/testWorld.ts';
import { isCandidate } from './consolidate.ts';
import { costOfMoves, DEFAULT_BUDGET, disruptionsLeft, isOpen, movableClaims } from './disruption.ts';

const HOUR_MS = 3_600_000;
const fleet = (count: number, draining = 0) =>
  Array.from({ length: count }, (_, n) =>
    host({
      hostId: `i-${n}`,
      ...(n < draining && {
        state: 'DRAINING',
        claims: { a: claim({ taskId: 'a', demand: { cpu: 1 }, interruptible: true }) },
      }),
    }),
  );

describe('a disruption budget', () => {
  it('is open in its windows only, over midnight too', () => {
    // 1970-01-04 was a Sunday.
    const at = (day: number, hour: number): number => (day * 24 + hour) * HOUR_MS;
    const within = (windows: NonNullable<typeof DEFAULT_BUDGET.windows>, atMs: number): boolean =>
      isOpen({ ...DEFAULT_BUDGET, windows }, atMs);
    const night = [{ fromMinute: 22 * 60, toMinute: 6 * 60 }];
    expect([23, 3, 6, 12].map((hour) => within(night, at(0, hour)))).toEqual([true, true, false, false]);
    const day = [{ fromMinute: 480, toMinute: 600 }];
    expect([7, 8, 9, 10].map((hour) => within(day, at(0, hour)))).toEqual([false, true, true, false]);
    const saturdayNight = [{ days: [6], fromMinute: 22 * 60, toMinute: 6 * 60 }];
    expect([at(2, 23), at(3, 3), at(3, 23)].map((atMs) => within(saturdayNight, atMs))).toEqual([
      true,
      true,
      false,
    ]);
    expect(within([...day, ...night], at(0, 8))).toBe(true);
    expect(within([], at(0, 8))).toBe(false);
  });

  it('counts hosts that are being emptied and those emptied within the hour', () => {
    const of = (over: Partial<typeof DEFAULT_BUDGET>, disruptedAt: number[] = []) =>
      pool({ disruption: { ...DEFAULT_BUDGET, ...over }, disruptedAt });
    expect(disruptionsLeft(fleet(3), of({}), 0)).toBe(1);
    expect(disruptionsLeft(fleet(40), of({}), 0)).toBe(4);
    expect(disruptionsLeft(fleet(40, 3), of({}), 0)).toBe(1);
    expect(disruptionsLeft(fleet(40), of({ maxShare: 0 }), 0)).toBe(0);
    const hourly = of({ maxHostsPerHour: 3 }, [1_000, 2_000, HOUR_MS]);
    expect(disruptionsLeft(fleet(40), hourly, HOUR_MS)).toBe(0);
    expect(disruptionsLeft(fleet(40), hourly, HOUR_MS + 1_500)).toBe(1);
  });

  it('pays for the work that moves throw away', () => {
    const half = claim({ taskId: 'a', demand: { cpu: 2048, memory: 100 }, interruptible: true });
    const on = host({
      hostId: 'i-1',
      usdPerHour: 0.2,
      capacity: { cpu: 4096, memory: 8000 },
      claims: { a: half },
    });
    const cost = (lostWork: number) =>
      costOfMoves(on, Object.values(on.claims), { ...DEFAULT_BUDGET, lostWork }, 2 * HOUR_MS);
    expect(cost(0)).toBeCloseTo(DEFAULT_BUDGET.moveUsd);
    expect(cost(1)).toBeCloseTo(DEFAULT_BUDGET.moveUsd + 0.5 * 2 * 0.2);
    expect(isCandidate(on, pool(), 120_000)).toBe(true);
    expect(isCandidate(on, pool(), 2 * HOUR_MS)).toBe(false);
    const keeping = pool({ disruption: { ...DEFAULT_BUDGET, lostWork: 0 } });
    expect(isCandidate(on, keeping, 2 * HOUR_MS)).toBe(true);
  });

  it('leaves alone what may not be moved, and what was placed a moment ago', () => {
    const carrying = (over: Partial<ReturnType<typeof claim>>) =>
      host({
        hostId: 'i-1',
        launchedAt: -HOUR_MS,
        claims: { a: { ...claim({ taskId: 'a', demand: { cpu: 1 }, interruptible: true }), ...over } },
      });
    expect(movableClaims(carrying({}))).toHaveLength(1);
    for (const over of [
      { interruptible: false },
      { constrained: true },
      { heir: 'b' },
      { hold: { need: {}, ports: [] } },
      { demand: { gpu: 500 } },
    ]) {
      expect(movableClaims(carrying(over))).toBeUndefined();
    }
    expect(isCandidate(carrying({ claimedAt: 0 }), pool(), 59_999)).toBe(false);
    expect(isCandidate(carrying({ claimedAt: 0 }), pool(), 60_000)).toBe(true);
  });
});
