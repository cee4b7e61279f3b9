import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapacityOrder, Pool } from '../model/pool.ts';
import { amountOf } from '../model/resources.ts';
import type { Task } from '../model/task.ts';
import { place } from '../placement/place.ts';
import { cluster, host, instanceType, placement, pool, snapshot, task } from '../placement/testWorld.ts';
import { planCapacity } from './plan.ts';
import { matchesType } from './typePattern.ts';

const TYPES = [
  instanceType('c6a.large', 2, 3_600, 0.0765),
  instanceType('c6i.large', 2, 3_600, 0.085),
  instanceType('c6i.4xlarge', 16, 31_000, 0.68, { spotUsdPerHour: 0.25, spotInterruptionRate: 0.05 }),
  instanceType('m6i.xlarge', 4, 15_200, 0.192, { spotUsdPerHour: 0.07 }),
  instanceType('r6i.2xlarge', 8, 62_000, 0.504),
];

const pools: fc.Arbitrary<Pool[]> = fc
  .array(
    fc.record({
      instanceTypes: fc.constantFrom(['*'], ['c6?.none', 'c6*'], ['m6i.*', 'r6i.2xlarge']),
      lifecycles: fc.constantFrom<Pool['lifecycles']>(['on-demand'], ['spot'], ['spot', 'on-demand']),
      maxHosts: fc.constantFrom(0, 1, 3, 50),
      maxHostVcpus: fc.constantFrom(4, 64),
      desiredHosts: fc.constantFrom(0, 0, 2),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((made) => made.map((over, n) => pool({ name: n === 0 ? 'general' : 'other', ...over })));

const tasks: fc.Arbitrary<Task[]> = fc
  .array(
    fc.record({
      cpu: fc.constantFrom(100, 900, 2048, 3000, 20_000),
      memory: fc.constantFrom(128, 2000, 3600, 14_000),
      apart: fc.boolean(),
      even: fc.boolean(),
      named: fc.constantFrom(undefined, undefined, 'general', 'nowhere'),
      port: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  .map((made) =>
    made.map(({ cpu, memory, apart, even, named, port }, n) =>
      task(`t${n}`, {
        demand: { cpu, memory },
        group: `g${n % 3}`,
        hostPorts: port ? ['80/tcp'] : [],
        placement: placement({
          constraints: apart ? [{ type: 'distinctInstance' }] : [],
          strategies: even ? [{ type: 'spread', field: 'zone', maxSkew: 1 }] : [],
          ...(named === undefined ? {} : { pool: named }),
        }),
      }),
    ),
  );

describe('planCapacity, whatever is asked', () => {
  it('orders only what its pools allow, within their limits, and says why for every task it does not buy for', () => {
    fc.assert(
      fc.property(pools, tasks, (allowed, pending) => {
        const given = snapshot({ cluster: cluster({ pools: allowed }), pending, instanceTypes: TYPES });
        const { orders, stuck } = planCapacity(given, pending, 0);
        const bought = new Map<string, number>();
        for (const order of orders) {
          const from = allowed.find(({ name }) => name === order.pool);
          if (from === undefined) throw new Error(`an order for pool ${order.pool}`);
          bought.set(order.pool, (bought.get(order.pool) ?? 0) + order.hosts);
          expect(from.lifecycles).toContain(order.lifecycle);
          const prices = order.offers.map(({ usdPerHour }) => usdPerHour);
          expect(prices).toEqual([...prices].sort((a, b) => a - b));
          for (const { instanceType: type, zone, capacity } of order.offers) {
            expect(from.zones).toContain(zone);
            expect(from.instanceTypes.some((pattern) => matchesType(pattern, type))).toBe(true);
            expect(amountOf(capacity, 'cpu')).toBeLessThanOrEqual(from.maxHostVcpus * 1024);
          }
        }
        for (const { name, maxHosts } of allowed) expect(bought.get(name) ?? 0).toBeLessThanOrEqual(maxHosts);
        const ids = stuck.map(({ taskId }) => taskId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { detail } of stuck) expect(detail.length).toBeGreaterThan(20);
        expect(orders.length > 0 || ids.length === pending.length || pending.length === 0).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('settles: once its orders are hosts, every task runs or has been told why not', () => {
    fc.assert(
      fc.property(pools, tasks, (allowed, all) => {
        const hosts: ReturnType<typeof host>[] = [];
        let pending: readonly Task[] = all;
        for (let round = 0; round < 30; round += 1) {
          const given = snapshot({
            cluster: cluster({ pools: allowed }),
            pending,
            instanceTypes: TYPES,
            hosts,
          });
          const { placements, unmet } = place(given, round, { preempt: 'never' });
          const placed = new Map(
            placements.flatMap(({ hostId, tasks: on }) => on.map(({ taskId }) => [taskId, hostId])),
          );
          for (const [at, each] of hosts.entries()) hosts[at] = run(each, pending, placed);
          pending = pending.filter(({ taskId }) => !placed.has(taskId));
          const { orders, stuck } = planCapacity(
            { ...given, hosts, pending },
            pending.filter(({ taskId }) => unmet.includes(taskId)),
            round,
          );
          if (orders.length === 0) {
            expect(stuck.map(({ taskId }) => taskId).sort()).toEqual(
              pending.map(({ taskId }) => taskId).sort(),
            );
            return;
          }
          hosts.push(...orders.flatMap((order, o) => launched(order, `${round}-${o}`)));
        }
        throw new Error('30 rounds of buying, and no end');
      }),
      { numRuns: 100 },
    );
  });
});

function run(on: ReturnType<typeof host>, pending: readonly Task[], placed: ReadonlyMap<string, string>) {
  const here = pending.filter(({ taskId }) => placed.get(taskId) === on.hostId);
  const claims = Object.fromEntries(
    here.map(({ taskId, attempt, spec }) => [
      taskId,
      {
        taskId,
        attempt,
        demand: spec.demand,
        hostPorts: spec.hostPorts,
        claimedAt: 0,
        group: spec.group,
        priority: 0,
        interruptible: false,
      },
    ]),
  );
  const { left: _left, ports: _ports, ...rest } = on;
  return host({ ...rest, claims: { ...on.claims, ...claims } });
}

const launched = (order: Pick<CapacityOrder, 'pool' | 'hosts' | 'offers' | 'lifecycle'>, name: string) =>
  Array.from({ length: order.hosts }, (_, n) => {
    const [offer] = order.offers;
    return host({
      hostId: `i-${name}-${n}`,
      pool: order.pool,
      instanceType: offer?.instanceType ?? '',
      zone: offer?.zone ?? '',
      lifecycle: order.lifecycle,
      capacity: offer?.capacity ?? {},
    });
  });
