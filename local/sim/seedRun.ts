import { type FaultRates, storm } from './faultRates.ts';
import type { SimPlan } from './plan.ts';
import { seededRandom } from './random.ts';
import { randomPlan } from './randomPlan.ts';
import type { PortDecorators } from './simOptions.ts';
import { type SimResult, simulate } from './simulation.ts';

export interface SeedOptions {
  readonly tasks: number;
  readonly hosts: number;
  /** Of virtual time. */
  readonly stormMs: number;
  readonly rates: FaultRates;
}

export const usualSeed: SeedOptions = { tasks: 50, hosts: 6, stormMs: 300_000, rates: storm };

/** All that a run depends on besides its seed, as data: what shrinking takes from. */
export interface Case {
  readonly seed: number;
  readonly plan: SimPlan;
  readonly rates: FaultRates;
}

export const caseOf = (seed: number, { tasks, hosts, stormMs, rates }: SeedOptions): Case => ({
  seed,
  rates,
  plan: randomPlan(seededRandom(seed, 'plan'), seededRandom(seed, 'relations'), { tasks, hosts, stormMs }),
});

/** One seed in so many has its changes announced as well, which is a third more work. */
const ANNOUNCED_EVERY = 8;

export const runCase = (
  { seed, plan, rates }: Case,
  more: { readonly traced?: boolean; readonly decorators?: PortDecorators } = {},
): Promise<SimResult> => simulate({ seed, plan, rates, announced: seed % ANNOUNCED_EVERY === 0, ...more });
