import { expect, it } from 'vitest';
import { calm } from '../../local/sim/faultRates.ts';
import { simulate } from '../../local/sim/simulation.ts';
import { endTogether } from './scenarios.ts';

it('gives the room of attempts that end together back in one write a host, as the crash scenario leans on', async () => {
  const batches: number[] = [];
  const { violations } = await simulate({
    seed: 1,
    plan: endTogether.plan,
    rates: calm,
    decorators: {
      store: (store) => ({
        ...store,
        releaseClaims: (cluster, hostId, ends, nowMs) => {
          batches.push(ends.length);
          return store.releaseClaims(cluster, hostId, ends, nowMs);
        },
      }),
    },
  });
  expect(violations).toEqual([]);
  expect(Math.max(...batches)).toBeGreaterThanOrEqual(4);
  expect(batches.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(10);
});
