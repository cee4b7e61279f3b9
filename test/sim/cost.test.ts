import { expect, it } from 'vitest';
import { calm } from '../../local/sim/faultRates.ts';
import { caseOf, usualSeed } from '../../local/sim/seedRun.ts';
import { simulate } from '../../local/sim/simulation.ts';

it('accounts for what EC2 charges to the second, when nothing goes wrong', async () => {
  const { seed, plan } = caseOf(1, usualSeed);
  const { violations, cost } = await simulate({ seed, plan, rates: calm, announced: true });
  expect(violations).toEqual([]);
  expect(cost.charged).toBeGreaterThan(0.01);
  // A begun second counts as one: of six hosts, so many millionths.
  expect(cost.accounted - cost.charged).toBeGreaterThanOrEqual(-1e-5);
  expect(cost.accounted - cost.charged).toBeLessThan(6 * 5e-5);
});
