import { describe, expect, it } from 'vitest';
import type { Violation } from '../../local/sim/checker.ts';
import type { Mutation } from '../../local/sim/mutations/mutation.ts';
import { mutations } from '../../local/sim/mutations/mutations.ts';
import { caseOf, runCase, usualSeed } from '../../local/sim/seedRun.ts';

const MAX_SEEDS = 1_000;

async function firstViolation({ decorators, seed: known }: Mutation): Promise<Violation | undefined> {
  const seeds = Array.from({ length: MAX_SEEDS }, (_, index) => index + 1);
  for (const seed of known === undefined ? seeds : [known, ...seeds]) {
    const { violations } = await runCase(caseOf(seed, usualSeed), { decorators });
    if (violations[0] !== undefined) return violations[0];
  }
  return undefined;
}

describe('a planted error', () => {
  it.each(mutations)(
    'is found: $name',
    async (mutation) => {
      const violation = await firstViolation(mutation);
      expect(mutation.caughtBy, violation?.detail).toContain(violation?.invariant);
    },
    MAX_SEEDS * 400,
  );
});
