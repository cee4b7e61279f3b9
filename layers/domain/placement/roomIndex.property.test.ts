import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Host } from '../model/host.ts';
import { amountOf, fitsInto, type Resources } from '../model/resources.ts';
import { RoomIndex } from './roomIndex.ts';
import { host } from './testWorld.ts';

const resources: fc.Arbitrary<Resources> = fc.record({
  cpu: fc.integer({ min: 0, max: 4096 }),
  memory: fc.integer({ min: 0, max: 15_000 }),
});
const hosts: fc.Arbitrary<Host[]> = fc
  .array(
    fc.record({
      left: resources,
      state: fc.constantFrom('READY', 'READY', 'READY', 'BOOTING', 'DRAINING' as const),
      agentSeenAt: fc.constantFrom(undefined, 1_000_000),
    }),
    { maxLength: 40 },
  )
  .map((rows) =>
    rows.map(({ left, state, agentSeenAt }, n) =>
      host({ hostId: `i-${n}`, left, state, ...(agentSeenAt !== undefined && { agentSeenAt }) }),
    ),
  );

const shareOf = ({ left, capacity }: Host): number =>
  (amountOf(left, 'cpu') / amountOf(capacity, 'cpu') +
    amountOf(left, 'memory') / amountOf(capacity, 'memory')) /
  2;
/** What the index tells apart: 4 / 255. */
const STEP = 0.016;

it('finds the fullest hosts with room, as they are after changes', () => {
  fc.assert(
    fc.property(
      hosts,
      resources,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 39 }),
      resources,
      (before, demand, most, changed, left) => {
        const index = new RoomIndex(before, 1_000_000);
        const after = before.map((each, row) => (row === changed ? { ...each, left } : each));
        if (after[changed] !== undefined) index.set(changed, after[changed], 1_000_000);
        const rows = index.fullest(demand, most);
        const fitting = after.flatMap((each, row) =>
          each.state === 'READY' && fitsInto(demand, each.left) ? row : [],
        );
        expect(rows).toEqual([...rows].sort((a, b) => a - b));
        expect(fitting).toEqual(expect.arrayContaining(rows));
        expect(rows).toHaveLength(Math.min(most, fitting.length));
        const worst = Math.max(...rows.map((row) => shareOf(after[row] as Host)));
        for (const row of fitting)
          if (!rows.includes(row)) expect(shareOf(after[row] as Host)).toBeGreaterThanOrEqual(worst - STEP);
      },
    ),
  );
});

it('takes hosts that something counts against last', () => {
  const index = new RoomIndex(
    [
      host({ hostId: 'i-0', left: { cpu: 500, memory: 2_000 }, agentSeenAt: 0 }),
      host({ hostId: 'i-1', left: { cpu: 4_000, memory: 14_000 }, agentSeenAt: 1_000_000 }),
    ],
    1_000_000,
  );
  expect(index.fullest({ cpu: 100, memory: 100 }, 1)).toEqual([1]);
  expect(index.fullest({ cpu: 100, memory: 100 }, 2)).toEqual([0, 1]);
});
