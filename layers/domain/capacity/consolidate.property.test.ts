import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claim, Host } from '../model/host.ts';
import type { CapacityOffer } from '../model/pool.ts';
import { minus, plus } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { place } from '../placement/place.ts';
import { claim, cluster, host, instanceType, pool, snapshot, task } from '../placement/testWorld.ts';
import { planDrains } from './consolidate.ts';
import { DEFAULT_BUDGET, disruptionsLeft } from './disruption.ts';
import { planReplacement } from './replace.ts';
import { planScaleIn } from './scaleIn.ts';

const TYPES = [
  instanceType('m6i.large', 2, 7_500, 0.1),
  instanceType('m6i.xlarge', 4, 15_200, 0.2),
  instanceType('m6i.4xlarge', 16, 62_000, 0.8),
  instanceType('c6i.4xlarge', 16, 31_000, 0.7),
];
const [OLD, STEP] = [-3_600_000, 120_000];

const world = fc
  .array(
    fc.record({
      type: fc.nat(TYPES.length - 1),
      claims: fc.array(
        fc.record({ cpu: fc.integer({ min: 128, max: 2048 }), memory: fc.integer({ min: 128, max: 7000 }) }),
        {
          maxLength: 5,
        },
      ),
      fixed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((made) =>
    made.map(({ type, claims, fixed }, n) => {
      const { name, capacity, usdPerHour } = TYPES[type] ?? instanceType('none', 0, 0, 0);
      let built = host({ hostId: `i-${n}`, instanceType: name, capacity, usdPerHour, launchedAt: OLD });
      claims.forEach((demand, k) => {
        const left = minus(built.left, demand);
        if (Object.values(left).some((amount) => amount < 0)) return;
        built = withClaim(built, claim({ taskId: `c${n}-${k}`, demand, interruptible: !(fixed && k === 0) }));
      });
      return Object.keys(built.claims).length > 0 ? built : { ...built, idleSince: OLD };
    }),
  );

function withClaim(on: Host, added: Claim): Host {
  const { idleSince: _idle, ...busy } = on;
  return { ...busy, left: minus(on.left, added.demand), claims: { ...on.claims, [added.taskId]: added } };
}

/** Its tasks keep their progress: otherwise they would soon have done too much to be moved, and nothing would happen. */
const POOL = pool({ zones: ['us-east-1a'], disruption: { ...DEFAULT_BUDGET, lostWork: 0 } });

const seen = (hosts: readonly Host[]): Snapshot =>
  snapshot({ cluster: cluster({ pools: [POOL] }), hosts, instanceTypes: TYPES });

/** Moves the drained hosts' tasks as the schedule function would, and gives back what is empty. */
function apply(
  hosts: readonly Host[],
  nowMs: number,
): { readonly hosts: readonly Host[]; readonly moved: readonly string[] } {
  const { drain, needed } = planDrains(seen(hosts), nowMs);
  const { retire } = planScaleIn(seen(hosts), nowMs, needed);
  const gone = new Set([...drain, ...retire].map(({ hostId }) => hostId));
  for (const { hostId } of retire) expect(hosts.find((each) => each.hostId === hostId)?.claims).toEqual({});
  const moving = hosts
    .filter(({ hostId }) => gone.has(hostId))
    .flatMap(({ claims }) => Object.values(claims));
  for (const { interruptible } of moving) expect(interruptible).toBe(true);
  const rest = hosts.filter(({ hostId }) => !gone.has(hostId));
  const pending = moving.map(({ taskId, demand }) => task(taskId, { demand, interruptible: true }));
  const plan = place({ ...seen(rest), pending }, nowMs);
  const target = new Map(
    plan.placements.flatMap(({ hostId, tasks }) => tasks.map(({ taskId }) => [taskId, hostId])),
  );
  const after = rest.map((each) =>
    moving.filter(({ taskId }) => target.get(taskId) === each.hostId).reduce(withClaim, each),
  );
  const lost = moving.filter(({ taskId }) => !target.has(taskId)).map(({ taskId }) => taskId);
  return { hosts: after, moved: lost };
}

const bought = (offer: CapacityOffer | undefined, hostId: string, nowMs: number): Host =>
  host({
    hostId,
    instanceType: offer?.instanceType ?? '',
    capacity: offer?.capacity ?? {},
    usdPerHour: offer?.usdPerHour ?? 0,
    launchedAt: nowMs,
    idleSince: nowMs,
  });

const priceOf = (hosts: readonly Host[]): number =>
  hosts.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0);

describe('consolidation of a constant workload', () => {
  it('comes to an end, never at a higher price than it began with', () => {
    fc.assert(
      fc.property(world, (start) => {
        let hosts: readonly Host[] = start;
        let nowMs = 0;
        let changes = 0;
        for (let round = 0; round < 80; round += 1) {
          nowMs += STEP;
          const before = JSON.stringify(
            hosts.map(({ hostId, claims }) => [hostId, Object.keys(claims).sort()]),
          );
          const { hosts: after, moved } = apply(hosts, nowMs);
          // Placement packs by its own score; where that strands a task the workload is not constant any more.
          fc.pre(moved.length === 0);
          const orders = planReplacement(seen(after), nowMs);
          hosts = [
            ...after,
            ...orders.flatMap(({ hosts: count, offers }, o) =>
              Array.from({ length: count }, (_, n) => bought(offers[0], `n-${round}-${o}-${n}`, nowMs)),
            ),
          ];
          const now = JSON.stringify(hosts.map(({ hostId, claims }) => [hostId, Object.keys(claims).sort()]));
          changes = now === before ? 0 : changes + 1;
          if (now === before) break;
        }
        expect(changes).toBe(0);
        expect(priceOf(hosts)).toBeLessThanOrEqual(priceOf(start) + 1e-9);
      }),
      { numRuns: 80 },
    );
  });

  it('keeps every task, moves none that must not be moved, and stays within the budget', () => {
    fc.assert(
      fc.property(world, (hosts) => {
        const { drain } = planDrains(seen(hosts), STEP);
        expect(drain.length).toBeLessThanOrEqual(disruptionsLeft(hosts, POOL, STEP));
        const drained = new Set(drain.map(({ hostId }) => hostId));
        let room = hosts
          .filter(({ hostId }) => !drained.has(hostId))
          .map(({ left }) => left)
          .reduce(plus, {});
        for (const { hostId, claims } of hosts) {
          if (!drained.has(hostId)) continue;
          for (const each of Object.values(claims)) {
            expect(each.interruptible).toBe(true);
            room = minus(room, each.demand);
          }
        }
        for (const amount of Object.values(room)) expect(amount).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 150 },
    );
  });
});
