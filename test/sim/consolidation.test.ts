import { expect, it } from 'vitest';
import { DEFAULT_BUDGET } from '../../layers/domain/capacity/disruption.ts';
import { calm } from '../../local/sim/faultRates.ts';
import { simPool } from '../../local/sim/plan.ts';
import { seededRandom } from '../../local/sim/random.ts';
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
