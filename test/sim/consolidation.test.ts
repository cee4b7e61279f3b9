import { expect, it } from 'vitest';
import { DEFAULT_BUDGET } from '../../layers/domain/capacity/disruption.ts';
import { calm } from '../../local/sim/faultRates.ts';
import { type SimRequest, simPool } from '../../local/sim/plan.ts';
import { seededRandom } from '../../local/sim/random.ts';
import { caseOf, usualSeed } from '../../local/sim/seedRun.ts';
import { simulate } from '../../local/sim/simulation.ts';

const MINUTE_MS = 60_000;
const RUN_MS = 90 * MINUTE_MS;
/** By then the first hosts have been packed anew as far as that saves anything. */
const SETTLED_MS = 15 * MINUTE_MS;

/** Tasks that come one by one and then all run for hours, of which others have ended meanwhile. */
function constantWorkload(seed: number) {
  const random = seededRandom(seed, 'consolidation');
  const request = (key: string, runMs: number) => ({
    key,
    atMs: random.between(0, 120_000),
    count: 1,
    cpu: random.pick([256, 512, 1024, 1536]),
    memory: random.pick([256, 512, 1024, 2048]),
    priority: 0,
    interruptible: true,
    maxAttempts: 1,
    behaviour: { runMs, exitCode: 0, failures: 0 },
    sends: 1,
  });
  return [
    ...Array.from({ length: 10 }, (_, n) => request(`long${n}`, RUN_MS)),
    ...Array.from({ length: 10 }, (_, n) => request(`short${n}`, random.between(10_000, 300_000))),
  ];
}

const atMs = (line: string): number => Number(line.trim().split(' ')[0]) * 1000;

it('packs a constant workload anew and then leaves it alone', async () => {
  let drains = 0;
  for (const seed of [1, 2, 3]) {
    const pool = simPool({ maxHosts: 12, disruption: { ...DEFAULT_BUDGET, lostWork: 0, maxShare: 0.5 } });
    const plan = { requests: constantWorkload(seed), actions: [], pool, stormMs: RUN_MS };
    const { violations, trace, ends } = await simulate({ seed, plan, rates: calm, traced: true });
    expect(violations).toEqual([]);
    expect(new Set(Object.values(ends))).toEqual(new Set(['SUCCEEDED 0 0']));
    const began = trace.filter((line) => line.includes('is emptied to save money'));
    drains += began.length;
    // Those that come when the first of them end are of another workload.
    const late = began.filter((line) => atMs(line) > SETTLED_MS && atMs(line) < RUN_MS);
    expect(late, `seed ${seed}`).toEqual([]);
  }
  expect(drains).toBeGreaterThan(3);
});

it('keeps every sentence while storms rage over hosts that are emptied and replaced', async () => {
  let [drains, replacements] = [0, 0];
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed, 'stormy consolidation');
    const requests = Array.from(
      { length: 30 },
      (_, n): SimRequest => ({
        key: `r${n}`,
        atMs: random.between(0, 10 * MINUTE_MS),
        count: 1,
        cpu: random.pick([256, 512, 1024, 1536]),
        memory: random.pick([256, 512, 1024, 2048]),
        priority: random.pick([0, 0, 10]),
        interruptible: random.chance(0.8),
        maxAttempts: random.between(1, 3),
        behaviour: {
          runMs: random.pick([20_000, 2 * MINUTE_MS, 10 * MINUTE_MS, 20 * MINUTE_MS]),
          exitCode: 0,
          failures: random.chance(0.1) ? 1 : 0,
        },
        sends: 1,
      }),
    );
    const disruption = { ...DEFAULT_BUDGET, lostWork: 0, maxShare: 0.5, settleMs: 10_000 };
    const pool = simPool({ maxHosts: 14, lifecycles: ['on-demand', 'spot'], disruption });
    const plan = { requests, actions: [], pool, stormMs: 15 * MINUTE_MS };
    const { rates } = caseOf(seed, usualSeed);
    const { violations, trace } = await simulate({ seed, plan, rates, traced: true });
    expect(violations, `seed ${seed}`).toEqual([]);
    drains += trace.filter((line) => line.includes('is emptied to save money')).length;
    replacements += trace.filter((line) => /BOOTING \(.*replaces i-/.test(line)).length;
  }
  expect(drains).toBeGreaterThan(20);
  expect(replacements).toBeGreaterThan(3);
});
