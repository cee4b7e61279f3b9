import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlacementStrategy } from '../model/task.ts';
import { Candidates } from './candidates.ts';
import { Pass } from './pass.ts';
import { host, placement, snapshot, task } from './testWorld.ts';

/** Enough hosts that only part of them is kept in order, and enough tasks of a shape that it is used up. */
const world = fc
  .record({
    rooms: fc.array(
      fc.record({ cpu: fc.integer({ min: 0, max: 40 }), memory: fc.integer({ min: 0, max: 40 }) }),
      {
        minLength: 1,
        maxLength: 260,
        size: 'max',
      },
    ),
    shapes: fc.array(
      fc.record({ cpu: fc.integer({ min: 1, max: 12 }), memory: fc.integer({ min: 1, max: 12 }) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    picks: fc.array(fc.nat(3), { maxLength: 300, size: 'max' }),
    strategies: fc.constantFrom<PlacementStrategy[]>(
      [],
      [{ type: 'binpack', field: 'cpu' }],
      [{ type: 'spread', field: 'zone' }],
      [{ type: 'spread', field: 'zone', maxSkew: 2 }, { type: 'binpack' }],
      [{ type: 'spread', field: 'instanceId' }],
    ),
    apart: fc.boolean(),
  })
  .map(({ rooms, shapes, picks, strategies, apart }) => {
    const hosts = rooms.map(({ cpu, memory }, n) =>
      host({
        hostId: `i-${n}`,
        zone: `z${n % 3}`,
        capacity: { cpu: 40, memory: 40 },
        left: { cpu, memory },
      }),
    );
    const pending = picks.map((pick, n) =>
      task(
        `t${n}`,
        {
          demand: shapes[pick % shapes.length] ?? {},
          group: 'all',
          placement: placement({ strategies, constraints: apart ? [{ type: 'distinctInstance' }] : [] }),
        },
        { acceptedAt: n },
      ),
    );
    return snapshot({ hosts, pending });
  });

describe('the ordered search', () => {
  it('finds the same host as looking at every host anew for every task', () => {
    fc.assert(
      fc.property(world, (given) => {
        const [fast, plain] = [new Pass(given, given.pending, 0), new Pass(given, given.pending, 0)];
        given.pending.forEach((each, at) => {
          const [cls, alone] = [fast.classes.classOf[at], plain.classes.classOf[at]];
          if (cls === undefined || alone === undefined) return;
          const expected = new Candidates(plain.table, { ...alone, remaining: 1 }, plain.table.ready).best();
          if (expected >= 0) plain.table.book(expected, alone, each.spec.group);
          expect(fast.placeOnReady(cls, each.spec.group)).toBe(expected);
        });
      }),
      { numRuns: 60 },
    );
  });
});
