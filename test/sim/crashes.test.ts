import { describe, expect, it } from 'vitest';
import { calm } from '../../local/sim/faultRates.ts';
import { simulate } from '../../local/sim/simulation.ts';
import { scenarios } from './scenarios.ts';
import { scenariosInCells } from './scenariosInCells.ts';

/**
 * Dying just before a call is dying just after the one before it: nothing outside the process can tell. Only of the first
 * call both are tried.
 */
const pointsOf = (points: number): { readonly point: number; readonly when: 'before' | 'after' }[] => [
  { point: 0, when: 'before' },
  ...Array.from({ length: points }, (_, point) => ({ point, when: 'after' as const })),
];

describe('a process that dies at any call', () => {
  it.each([...scenarios, ...scenariosInCells])(
    'changes nothing about the end of $name',
    async ({ plan, ends, happens, announced = false }) => {
      const undisturbed = await simulate({
        seed: 1,
        plan,
        rates: calm,
        traced: happens !== undefined,
        announced,
      });
      expect(undisturbed.violations).toEqual([]);
      const states = Object.values(undisturbed.ends).map((end) => end.split(' ')[0]);
      expect(new Set(states)).toEqual(new Set(ends));
      for (const what of happens ?? []) expect(undisturbed.trace.some((line) => what.test(line))).toBe(true);
      expect(undisturbed.points).toBeGreaterThan(20);
      for (const crash of pointsOf(undisturbed.points)) {
        const disturbed = await simulate({ seed: 1, plan, rates: calm, crash, announced });
        expect(disturbed.violations, `crash ${crash.when} call ${crash.point}`).toEqual([]);
        expect(disturbed.ends, `crash ${crash.when} call ${crash.point}`).toEqual(undisturbed.ends);
      }
    },
  );
});
