import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Host } from '../model/host.ts';
import type { PlacementPlan } from '../model/plan.ts';
import { minus, plus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { PlacementConstraint, PlacementStrategy, Task } from '../model/task.ts';
import { Admission } from './admission.ts';
import { fits } from './fits.ts';
import { Pass } from './pass.ts';
import { place } from './place.ts';
import { claim, cluster, host, placement, pool, snapshot, task } from './testWorld.ts';

const groups = ['web', 'db', 'job'];
const ports = ['80/tcp', '53/udp'];
const zones = ['a', 'b', 'c'];

const demand: fc.Arbitrary<Resources> = fc.record(
  {
    cpu: fc.integer({ min: 0, max: 3000 }),
    memory: fc.integer({ min: 1, max: 6000 }),
    gpu: fc.constantFrom(250, 600, 1000, 2000),
    eni: fc.constantFrom(1, 2),
    'custom:licence': fc.constant(1),
  },
  { requiredKeys: ['cpu', 'memory'] },
);

const constraint: fc.Arbitrary<PlacementConstraint> = fc.oneof(
  fc.constant({ type: 'distinctInstance' as const }),
  fc.constantFrom(...groups).map((group) => ({ type: 'antiAffinity' as const, group })),
  fc.constantFrom(...groups).map((group) => ({ type: 'affinity' as const, group })),
  fc
    .constantFrom('attribute:disk == ssd', 'attribute:ecs.availability-zone in [a, b]', 'task:group != db')
    .map((expression) => ({ type: 'memberOf' as const, expression })),
);

const strategy: fc.Arbitrary<PlacementStrategy> = fc.oneof(
  fc.constantFrom<PlacementStrategy>(
    { type: 'binpack' },
    { type: 'binpack', field: 'memory' },
    { type: 'random' },
  ),
  fc.record({
    type: fc.constant('spread' as const),
    field: fc.constantFrom('zone', 'instanceId', 'attribute:disk'),
  }),
  fc.record({
    type: fc.constant('spread' as const),
    field: fc.constantFrom('zone', 'instanceId'),
    maxSkew: fc.integer({ min: 1, max: 2 }),
  }),
);

const aTask = (n: number): fc.Arbitrary<Task> =>
  fc
    .record({
      demand,
      group: fc.constantFrom(...groups),
      hostPorts: fc.subarray(ports, { maxLength: 1 }),
      constraints: fc.array(constraint, { maxLength: 1 }),
      strategies: fc.array(strategy, { maxLength: 2 }),
      priority: fc.integer({ min: -2, max: 2 }),
      acceptedAt: fc.integer({ min: 0, max: 5 }),
      inPool: fc.option(fc.constantFrom('general', 'gpu'), { nil: undefined, freq: 4 }),
    })
    .map(({ constraints, strategies, acceptedAt, inPool, ...over }) =>
      task(
        `t${n}`,
        {
          ...over,
          placement: placement({
            constraints,
            strategies,
            ...(inPool === undefined ? {} : { pool: inPool }),
          }),
        },
        { acceptedAt },
      ),
    );

const aHost = (n: number): fc.Arbitrary<Host> =>
  fc
    .record({
      state: fc.constantFrom<Host['state']>(
        'READY',
        'READY',
        'READY',
        'BOOTING',
        'CORDONED',
        'DRAINING',
        'TERMINATING',
      ),
      zone: fc.constantFrom(...zones),
      pool: fc.constantFrom('general', 'gpu'),
      ssd: fc.boolean(),
      capacity: fc.record({
        cpu: fc.constantFrom(2048, 4096, 8192),
        memory: fc.constantFrom(3600, 7600, 15_000),
        gpu: fc.constantFrom(0, 1000, 2000),
        eni: fc.constantFrom(0, 3),
        'custom:licence': fc.constantFrom(0, 2),
      }),
      claims: fc.array(
        fc.record({
          share: fc.double({ min: 0, max: 0.3, noNaN: true }),
          group: fc.constantFrom(...groups),
          port: fc.option(fc.constantFrom(...ports), { nil: undefined, freq: 3 }),
          priority: fc.integer({ min: -3, max: 2 }),
          interruptible: fc.boolean(),
        }),
        { maxLength: 3 },
      ),
    })
    .map(({ capacity, claims, ssd, ...over }) => {
      const made = claims.map(({ share, port, ...rest }, k) =>
        claim({
          taskId: `c${n}-${k}`,
          demand: { cpu: Math.floor(capacity.cpu * share), memory: Math.floor(capacity.memory * share) },
          hostPorts:
            port === undefined || claims.findIndex((other) => other.port === port) !== k ? [] : [port],
          ...rest,
        }),
      );
      return host({
        hostId: `i-${n}`,
        capacity,
        attributes: ssd ? { disk: 'ssd' } : {},
        claims: Object.fromEntries(over.state === 'BOOTING' ? [] : made.map((each) => [each.taskId, each])),
        ...over,
      });
    });

const world: fc.Arbitrary<Snapshot> = fc
  .record({
    hosts: fc
      .integer({ min: 0, max: 8 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => aHost(n)))),
    pending: fc
      .integer({ min: 0, max: 25 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => aTask(n)))),
    maxHosts: fc.constantFrom(0, 100),
  })
  .map(({ hosts, pending, maxHosts }) =>
    snapshot({
      hosts,
      pending,
      cluster: cluster({ pools: [pool({ maxHosts }), pool({ name: 'gpu', maxHosts })] }),
    }),
  );

/** The host once the task runs on it. */
const withTask = (on: Host, { taskId, attempt, spec }: Task, claimedAt: number): Host => ({
  ...on,
  left: minus(on.left, spec.demand),
  ports: [...on.ports, ...spec.hostPorts],
  claims: {
    ...on.claims,
    [taskId]: claim({
      taskId,
      attempt,
      demand: spec.demand,
      group: spec.group,
      hostPorts: spec.hostPorts,
      claimedAt,
    }),
  },
});

/** Carries the placements out one by one in the queue's order, asking `fits` each time. */
function carryOut(given: Snapshot, plan: PlacementPlan): Map<string, Host> {
  const hosts = new Map(given.hosts.map((each) => [each.hostId, each]));
  const rowOf = new Map(
    plan.placements.flatMap(({ hostId, tasks }) => tasks.map(({ taskId }) => [taskId, hostId])),
  );
  const queue = [...given.pending].sort(
    (a, b) =>
      b.spec.priority - a.spec.priority || a.acceptedAt - b.acceptedAt || (a.taskId < b.taskId ? -1 : 1),
  );
  let clock = 1_000;
  for (const each of queue) {
    const on = hosts.get(rowOf.get(each.taskId) ?? '');
    if (on === undefined) continue;
    const { constraints, pool: only } = each.spec.placement;
    const started = [...hosts.values()].some((other) =>
      Object.values(other.claims).some(({ group }) => group === each.spec.group),
    );
    const firstOfGroup = !started;
    const rules = {
      group: each.spec.group,
      constraints: constraints.filter(
        (rule) => !(rule.type === 'affinity' && rule.group === each.spec.group && firstOfGroup),
      ),
      ...(only === undefined ? {} : { pool: only }),
    };
    expect(fits(on, each.spec.demand, each.spec.hostPorts, rules)).toEqual([]);
    hosts.set(on.hostId, withTask(on, each, clock));
    clock += 1;
  }
  return hosts;
}

const placedIds = (plan: PlacementPlan): string[] =>
  plan.placements.flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId)).sort();

describe('place, whatever the world', () => {
  it('every placement fits when it is carried out, in order', () => {
    fc.assert(
      fc.property(world, (given) => {
        carryOut(given, place(given, 10));
      }),
      { numRuns: 200 },
    );
  });

  it('every task is placed, waiting with a reason, and unmet, preempting or awaited, exactly once', () => {
    fc.assert(
      fc.property(world, (given) => {
        const plan = place(given, 10);
        const waiting = plan.waits.map(({ taskId }) => taskId);
        expect([...placedIds(plan), ...waiting].sort()).toEqual(
          given.pending.map(({ taskId }) => taskId).sort(),
        );
        for (const id of plan.unmet) expect(waiting).toContain(id);
        for (const { taskId } of plan.preemptions) expect(plan.unmet).not.toContain(taskId);
        for (const { explanation } of plan.waits) expect(explanation.next).not.toBe('');
      }),
      { numRuns: 150 },
    );
  });

  it('no task without a spread rule is left while some READY host still takes it', () => {
    fc.assert(
      fc.property(world, (given) => {
        const plan = place(given, 10, { preempt: 'never' });
        const after = carryOut(given, plan);
        const placed = new Set(placedIds(plan));
        for (const each of given.pending) {
          if (placed.has(each.taskId) || each.spec.placement.strategies.some(({ type }) => type === 'spread'))
            continue;
          // A neighbour placed later may have opened the way: the next pass, which its placement wakes, takes that.
          if (each.spec.placement.constraints.length > 0) continue;
          const { constraints, pool: only } = each.spec.placement;
          const rules = {
            group: each.spec.group,
            constraints,
            ...(only === undefined ? {} : { pool: only }),
          };
          for (const on of after.values()) {
            expect(fits(on, each.spec.demand, each.spec.hostPorts, rules)).not.toEqual([]);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('does not depend on the order of the pending tasks', () => {
    fc.assert(
      fc.property(world, fc.infiniteStream(fc.nat()), (given, random) => {
        const shuffled = given.pending
          .map((each) => ({ each, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each);
        const [one, other] = [place(given, 10), place({ ...given, pending: shuffled }, 10)];
        const settle = ({ placements, preemptions, unmet }: PlacementPlan) => ({
          placements: [...placements].sort((a, b) => (a.hostId < b.hostId ? -1 : 1)),
          preemptions,
          unmet,
        });
        expect(settle(other)).toEqual(settle(one));
      }),
      { numRuns: 200 },
    );
  });

  it('decides on a table exactly as fits decides on the host', () => {
    fc.assert(
      fc.property(world, (given) => {
        const pass = new Pass(given, given.pending, 0);
        given.pending.forEach((each, at) => {
          const cls = pass.classes.classOf[at];
          if (cls === undefined) return;
          const admission = new Admission(pass.table, cls);
          pass.table.hosts.forEach((on, row) => {
            if (on.state !== 'READY') return;
            const { constraints, pool: only } = each.spec.placement;
            if (constraints.some(({ type }) => type === 'affinity')) return;
            const rules = {
              group: each.spec.group,
              constraints,
              ...(only === undefined ? {} : { pool: only }),
            };
            const asked = fits(on, each.spec.demand, each.spec.hostPorts, rules);
            expect([...admission.refusals(row)].sort()).toEqual([...asked].sort());
            const takes = admission.mayEver(row) && pass.table.hasRoom(row, cls) && admission.now(row);
            expect(takes).toBe(asked.length === 0);
          });
        });
      }),
      { numRuns: 200 },
    );
  });

  it('never lets a zone get ahead of another by more than the skew allows', () => {
    const spread = (maxSkew: number) =>
      placement({ strategies: [{ type: 'spread', field: 'zone', maxSkew }] });
    const open = fc.record({
      zone: fc.constantFrom(...zones),
      cpu: fc.constantFrom(1024, 2048, 6144),
      running: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(
        fc.array(open, { maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(20),
        (made, skew, count) => {
          const hosts = made.map(({ zone, cpu, running }, n) =>
            host({
              hostId: `i-${n}`,
              zone,
              capacity: { cpu: cpu + 10 * running, memory: 60_000 },
              claims: Object.fromEntries(
                Array.from({ length: running }, (_, k) => [
                  `r${n}-${k}`,
                  claim({ taskId: `r${n}-${k}`, demand: { cpu: 10 }, group: 'even' }),
                ]),
              ),
            }),
          );
          const pending = Array.from({ length: count }, (_, n) =>
            task(
              `t${n}`,
              { group: 'even', demand: { cpu: 1024 }, placement: spread(skew) },
              { acceptedAt: n },
            ),
          );
          const plan = place(snapshot({ hosts, pending }), 99);
          const counts = new Map<string, number>();
          for (const { zone, claims } of hosts)
            counts.set(zone, (counts.get(zone) ?? 0) + Object.keys(claims).length);
          const zoneOf = new Map(hosts.map(({ hostId, zone }) => [hostId, zone]));
          const placed = new Map(
            plan.placements.flatMap(({ hostId, tasks }) =>
              tasks.map(({ taskId }) => [taskId, zoneOf.get(hostId) ?? '']),
            ),
          );
          for (const { taskId } of pending) {
            const zone = placed.get(taskId);
            if (zone === undefined) continue;
            const after = (counts.get(zone) ?? 0) + 1;
            expect(after - Math.min(...counts.values())).toBeLessThanOrEqual(skew);
            counts.set(zone, after);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stops only less urgent interruptible tasks, none twice, and what it frees is enough', () => {
    fc.assert(
      fc.property(world, (given) => {
        const plan = place(given, 10, { preempt: 'always' });
        const after = carryOut(given, plan);
        const stopped = new Set<string>();
        for (const { taskId, hostId, victims } of plan.preemptions) {
          const preemptor = given.pending.find((each) => each.taskId === taskId);
          const on = after.get(hostId);
          if (preemptor === undefined || on === undefined)
            throw new Error(`${taskId} on ${hostId} is nowhere`);
          let left = on.left;
          for (const victim of victims) {
            expect(stopped.has(victim.taskId)).toBe(false);
            stopped.add(victim.taskId);
            const victimClaim = on.claims[victim.taskId];
            expect(victimClaim?.interruptible).toBe(true);
            expect(victimClaim?.priority).toBeLessThan(preemptor.spec.priority);
            left = plus(left, victimClaim?.demand ?? {});
          }
          for (const [dimension, amount] of Object.entries(preemptor.spec.demand)) {
            expect(left[dimension] ?? 0).toBeGreaterThanOrEqual(amount);
          }
          after.set(hostId, { ...on, left: minus(left, preemptor.spec.demand) });
        }
      }),
      { numRuns: 150 },
    );
  });
});
