import { type SimAction, type SimPlan, type SimRequest, simPool } from './plan.ts';
import type { Random } from './random.ts';

export interface RandomPlanOptions {
  readonly tasks: number;
  readonly hosts: number;
  readonly stormMs: number;
}

/** Two hosts each, of the usual six. */
const CELLS = 3;
const MAX_PROCESSES = 3;

/** A workload drawn from a seed: bursts of requests of mixed size, and what people and alarms do meanwhile. */
export function randomPlan(
  random: Random,
  relations: Random,
  { tasks, hosts, stormMs }: RandomPlanOptions,
): SimPlan {
  const requests: SimRequest[] = [];
  const burstMs = [0, random.between(5_000, stormMs / 2), random.between(stormMs / 4, stormMs)];
  for (let left = tasks; left > 0; ) {
    const count = Math.min(left, random.chance(0.5) ? 1 : random.between(2, 8));
    left -= count;
    requests.push(
      randomRequest(random, `r${requests.length}`, count, random.pick([burstMs[0] ?? 0, ...burstMs])),
    );
  }
  const related = requests.map((request, index) =>
    withRelations(relations, request, requests.slice(0, index)),
  );
  const lifecycles = random.chance(0.5) ? (['on-demand', 'spot'] as const) : (['on-demand'] as const);
  return {
    // Chosen without the dice, so that a seed's other decisions stay what they are.
    requests: related.map((request, index) =>
      index % 5 === 3 ? { ...request, concurrency: { key: 'db', max: 2 + (index % 2) } } : request,
    ),
    actions: [...randomActions(random, related, stormMs), ...sourceActions(relations, stormMs)],
    pool: simPool({ maxHosts: hosts, lifecycles }),
    cells: relations.chance(0.4) ? CELLS : 1,
    processes: relations.between(1, MAX_PROCESSES),
    stormMs,
  };
}

function randomRequest(random: Random, key: string, count: number, burstMs: number): SimRequest {
  const endless = random.chance(0.06);
  const timed = endless || random.chance(0.1);
  return {
    key,
    atMs: burstMs + Math.floor(random.around(4_000)),
    count,
    cpu: random.pick([128, 256, 256, 512, 1024]),
    memory: random.pick([128, 256, 512, 512, 1024]),
    priority: random.pick([0, 0, 0, 10, -10]),
    interruptible: random.chance(0.3),
    maxAttempts: random.between(1, 3),
    ...(timed && { timeoutSeconds: random.between(20, 90) }),
    behaviour: {
      ...(!endless && { runMs: Math.floor(random.around(20_000)) }),
      exitCode: random.chance(0.08) ? 1 : 0,
      failures: random.chance(0.15) ? random.between(1, 3) : 0,
    },
    sends: random.chance(0.1) ? 2 : 1,
  };
}

const OTHER_SOURCE = 'reports';

/** Makes a request wait for earlier ones, an array, another source's, or choosy about its retries. */
function withRelations(random: Random, request: SimRequest, earlier: readonly SimRequest[]): SimRequest {
  const waits = random.chance(0.2) ? random.between(1, 2) : 0;
  const waitedFor = new Set<string>();
  for (let left = Math.min(waits, earlier.length); left > 0; left--)
    waitedFor.add(earlier[random.between(0, earlier.length - 1)]?.key ?? '');
  const after = [...waitedFor].map((key) => ({
    key,
    condition: random.pick(['success', 'completion'] as const),
  }));
  return {
    ...request,
    ...(random.chance(0.25) && { source: OTHER_SOURCE }),
    ...(request.count > 1 && random.chance(0.3) && { array: true }),
    ...(after.length > 0 && { after }),
    behaviour: {
      ...request.behaviour,
      ...(random.chance(0.3) && { outOfMemory: true }),
      ...(random.chance(0.06) && { pullFailures: random.between(1, 4) }),
    },
    ...(random.chance(0.1) && { retryOnExit: random.pick([[1], [9]]) }),
  };
}

const sourceActions = (random: Random, stormMs: number): SimAction[] =>
  random.chance(0.15)
    ? [
        {
          kind: 'pauseSource',
          source: OTHER_SOURCE,
          atMs: random.between(0, stormMs),
          forMs: random.between(5_000, 60_000),
        },
      ]
    : [];

function randomActions(random: Random, requests: readonly SimRequest[], stormMs: number): SimAction[] {
  const actions: SimAction[] = [];
  const when = (): number => random.between(0, stormMs);
  for (const { key, count, atMs } of requests) {
    if (!random.chance(0.15)) continue;
    const ordinal = random.between(0, count - 1);
    actions.push({ kind: 'cancel', key, ordinal, atMs: atMs + Math.floor(random.around(15_000)) });
  }
  if (random.chance(0.3)) actions.push({ kind: 'drain', atMs: when(), pick: random.between(0, 99) });
  if (random.chance(0.3)) actions.push({ kind: 'alarm', atMs: when(), forMs: 60_000 });
  if (random.chance(0.15)) {
    actions.push({ kind: 'pause', atMs: when(), forMs: random.between(5_000, 60_000) });
  }
  return actions;
}
