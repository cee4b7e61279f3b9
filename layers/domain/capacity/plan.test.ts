import { describe, expect, it } from 'vitest';
import { strictExpression } from '../isolation/capability.ts';
import type { Task } from '../model/task.ts';
import { cluster, host, instanceType, placement, pool, snapshot, task } from '../placement/testWorld.ts';
import { planCapacity } from './plan.ts';

const types = [
  instanceType('c6i.large', 2, 3600, 0.085),
  instanceType('c6a.large', 2, 3600, 0.0765),
  instanceType('c6i.4xlarge', 16, 31_000, 0.68),
  instanceType('r6i.large', 2, 15_000, 0.126),
  instanceType('m6g.large', 2, 7500, 0.077, { architecture: 'arm64' }),
];

const plan = (tasks: readonly Task[], over: Parameters<typeof snapshot>[0] = {}) =>
  planCapacity(snapshot({ instanceTypes: types, pending: tasks, ...over }), tasks, 1_000);

const withPool = (over: Parameters<typeof pool>[0]) => ({ cluster: cluster({ pools: [pool(over)] }) });

describe('planCapacity', () => {
  it('buys the cheapest host that holds the task, with interchangeable types to fall back on', () => {
    const { orders, stuck } = plan([task('a', { demand: { cpu: 2048, memory: 3000 } })]);
    expect(stuck).toEqual([]);
    expect(orders).toHaveLength(1);
    const names = orders[0]?.offers.map(({ instanceType: name }) => name);
    expect(names?.[0]).toBe('c6a.large');
    expect(new Set(names)).toEqual(new Set(['c6a.large', 'm6g.large', 'c6i.large']));
    expect(orders[0]?.offers.every(({ subnet }) => subnet !== '')).toBe(true);
  });

  it('forgets what EC2 is out of and what the pool does not allow', () => {
    const out = pool().zones.map((zone) => ({
      instanceType: 'c6a.large',
      zone,
      lifecycle: 'on-demand' as const,
      until: 2_000,
      code: 'InsufficientInstanceCapacity',
    }));
    const { orders } = plan([task('a', { demand: { cpu: 2048, memory: 3000 } })], {
      insufficientCapacity: out,
      ...withPool({ instanceTypes: ['c6?.none', 'c6*.large'] }),
    });
    expect(orders[0]?.offers[0]?.instanceType).toBe('c6i.large');
  });

  it('counts what a host costs beside its instance: the dearer, the fewer hosts', () => {
    const small = Array.from({ length: 14 }, (_, n) =>
      task(`t${n}`, { demand: { cpu: 1024, memory: 1800 } }),
    );
    const hosts = (hostUsdPerHour: number): number =>
      plan(small, withPool({ hostUsdPerHour })).orders.reduce((sum, order) => sum + order.hosts, 0);
    expect(hosts(0)).toBe(7);
    expect(hosts(0.5)).toBe(1);
  });

  it('spreads what a pool’s tasks ask over its least hosts, those that run counted', () => {
    const tasks = Array.from({ length: 14 }, (_, n) =>
      task(`t${n}`, { demand: { cpu: 1024, memory: 1800 } }),
    );
    const large = [instanceType('c6i.large', 2, 3600, 0.1), instanceType('c6i.4xlarge', 16, 31_000, 0.5)];
    const bought = (of: readonly Task[], leastHosts: number, over = {}) =>
      plan(of, { instanceTypes: large, ...withPool({ leastHosts }), ...over })
        .orders.map(({ hosts, offers }) => `${hosts} x ${offers[0]?.instanceType}`)
        .join();
    expect(bought(tasks, 1)).toBe('1 x c6i.4xlarge');
    expect(
      bought(tasks, 3)
        .split(',')
        .every((order) => order.endsWith('c6i.large')),
    ).toBe(true);
    // A third of all is more than such a host holds when others run as much already.
    const running = Array.from({ length: 3 }, (_, n) =>
      host({ hostId: `i-${n}`, capacity: { cpu: 16_384, memory: 31_000 }, left: { cpu: 0, memory: 0 } }),
    );
    expect(bought(tasks, 3, { hosts: running })).toBe('1 x c6i.4xlarge');
    // One task alone cannot be spread: it gets the smallest that holds it.
    expect(bought([task('a', { demand: { cpu: 8192, memory: 9000 } })], 3)).toBe('1 x c6i.4xlarge');
  });

  it('buys Spot unless its interruptions are expected to cost more than it saves', () => {
    const spot = [instanceType('c6i.large', 2, 3600, 0.085, { spotUsdPerHour: 0.07 })];
    const bought = (spotInterruptionsPerHour: number) =>
      plan([task('a')], {
        instanceTypes: spot,
        ...withPool({ lifecycles: ['spot', 'on-demand'], spotInterruptionsPerHour }),
      }).orders.map(({ lifecycle }) => lifecycle);
    expect(bought(0.1)).toEqual(['spot']);
    expect(bought(0.6)).toEqual(['on-demand']);
  });

  it('buys as many hosts as the network interfaces of the tasks need', () => {
    const types_ = [
      instanceType('c6i.4xlarge', 16, 31_000, 0.68, { capacity: { cpu: 16_384, memory: 31_000, eni: 3 } }),
    ];
    const awsvpc = Array.from({ length: 7 }, (_, n) =>
      task(`t${n}`, { demand: { cpu: 256, memory: 256, eni: 1 } }),
    );
    const { orders, stuck } = plan(awsvpc, { instanceTypes: types_ });
    expect(stuck).toEqual([]);
    expect(orders.reduce((sum, { hosts }) => sum + hosts, 0)).toBe(3);
  });

  it('says which pool, which limit and what to do when nothing can be bought', () => {
    const detail = (task_: Task, over = {}) => plan([task_], over).stuck[0]?.detail;
    expect(detail(task('a', { demand: { cpu: 131_072, memory: 1 } }))).toMatch(
      /pool "general" can never hold it: it asks 128 vCPU.*most is 16 vCPU.*raise maxHostVcpus/,
    );
    expect(detail(task('a', { placement: placement({ pool: 'gpu' }) }))).toContain(
      'pool "gpu" does not exist',
    );
    expect(detail(task('a'), withPool({ maxHosts: 0 }))).toContain(
      'pool "general" is at its limit of 0 hosts',
    );
    expect(detail(task('a'), { cluster: cluster({ pools: [] }) })).toContain('the cluster has no pool');
    expect(detail(task('a'), { cluster: cluster({ paused: true }) })).toContain('paused');
    const memberOf = placement({ constraints: [{ type: 'memberOf', expression: 'attribute:disk == ssd' }] });
    expect(detail(task('a', { placement: memberOf }))).toContain('memberOf(attribute:disk == ssd)');
    const beside = placement({ constraints: [{ type: 'affinity', group: 'web' }] });
    expect(detail(task('a', { placement: beside }))).toContain('affinity(web)');
  });

  it('buys for a strict task until all hosts of the pool are known to lack what it names', () => {
    const isolation = { qos: 'guaranteed', strict: true, memory: { minMiB: 64 } } as const;
    const constraints = [{ type: 'memberOf', expression: strictExpression(isolation) ?? '' }] as const;
    const strict = task('strict', { isolation, placement: placement({ constraints }) });
    const full = { capacity: { cpu: 64, memory: 64 }, registeredAt: 1, agentSeenAt: 5 };
    const lacking = host({ hostId: 'i-1', ...full, cannot: ['memoryMin'] });
    expect(plan([strict], { hosts: [] }).orders).toHaveLength(1);
    expect(
      plan([strict], { hosts: [lacking, host({ hostId: 'i-2', ...full, cannot: [] })] }).orders,
    ).toHaveLength(1);
    const { orders, stuck } = plan([strict], { hosts: [lacking] });
    expect(orders).toEqual([]);
    expect(stuck[0]?.detail).toContain('berth.cannot.memoryMin !exists');
  });

  it('prefers fewer, larger hosts over holding tasks back when slots are few', () => {
    const tasks = Array.from({ length: 8 }, (_, n) => task(`t${n}`, { demand: { cpu: 2048, memory: 3000 } }));
    const { orders, stuck } = plan(tasks, withPool({ maxHosts: 1 }));
    expect(stuck).toEqual([]);
    expect(orders.map(({ hosts }) => hosts)).toEqual([1]);
  });

  it('holds back the least urgent when no host is large enough', () => {
    const tasks = Array.from({ length: 20 }, (_, n) =>
      task(`t${n}`, { demand: { cpu: 2048, memory: 3000 } }, { acceptedAt: n }),
    );
    const { stuck } = plan(tasks, withPool({ maxHosts: 2 }));
    expect(stuck.map(({ taskId }) => taskId)).toEqual(['t16', 't17', 't18', 't19']);
  });

  it('keeps the hosts and the room that a pool wants without demand', () => {
    const wanted = plan([], withPool({ desiredHosts: 3, minHosts: 1 }));
    expect(wanted.orders.reduce((sum, { hosts }) => sum + hosts, 0)).toBe(3);
    const usual = plan([], {
      ...withPool({ desiredHosts: 2 }),
      hosts: [host({ hostId: 'i-1', instanceType: 'r6i.large' })],
    });
    expect(usual.orders[0]?.offers[0]?.instanceType).toBe('r6i.large');
    const room = plan([], withPool({ headroom: { cpu: 4096 } }));
    expect(room.orders.reduce((sum, { hosts }) => sum + hosts, 0)).toBe(2);
  });

  it('buys in the zones that a required spread needs', () => {
    const even = placement({ strategies: [{ type: 'spread', field: 'zone', maxSkew: 1 }] });
    const tasks = ['a', 'b', 'c'].map((id) =>
      task(id, { demand: { cpu: 512, memory: 512 }, placement: even }),
    );
    const { orders } = plan(tasks);
    const zones = orders.map(({ offers }) => [...new Set(offers.map(({ zone }) => zone))]);
    expect(zones.sort()).toEqual([['us-east-1a'], ['us-east-1b'], ['us-east-1c']]);
  });
});
