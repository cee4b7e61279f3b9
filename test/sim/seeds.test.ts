import { expect, it } from 'vitest';
import { mutations } from '../../local/sim/mutations/mutations.ts';
import { caseOf, runCase, usualSeed } from '../../local/sim/seedRun.ts';
import { shrink } from '../../local/sim/shrink.ts';

const seeds = Number(process.env.BERTH_SIM_SEEDS ?? 40);

it(
  `keeps every sentence through the storms of ${seeds} seeds`,
  async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { violations } = await runCase(caseOf(seed, usualSeed));
      expect(violations, `npm run simulate -- --seeds 1 --seed ${seed}`).toEqual([]);
    }
  },
  30_000 + seeds * 1_000,
);

it('runs a seed the same way every time', async () => {
  const run = () => runCase(caseOf(7, usualSeed), { traced: true });
  const [first, second] = [await run(), await run()];
  expect(first.trace.length).toBeGreaterThan(500);
  expect(second.trace).toEqual(first.trace);
});

it('shrinks a violation to what it needs', async () => {
  const { decorators } = mutations.find(({ name }) => name === 'every-end-is-good') ?? {};
  const failing = caseOf(1, usualSeed);
  const { smallest } = await shrink(failing, 'truthful', decorators, 60);
  const { violations } = await runCase(smallest, decorators === undefined ? {} : { decorators });
  expect(violations[0]?.invariant).toBe('truthful');
  expect(smallest.plan.requests.length).toBeLessThan(failing.plan.requests.length / 2);
}, 120_000);
