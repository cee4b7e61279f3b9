import { describe, expect, it } from 'vitest';
import { strictExpression } from '../isolation/capability.ts';
import type { CapacityOrder } from '../model/pool.ts';
import { place } from './place.ts';
import { claim, host, placement, snapshot, task } from './testWorld.ts';

const hostsOf = (plan: ReturnType<typeof place>): Record<string, string> =>
  Object.fromEntries(
    plan.placements.flatMap(({ hostId, tasks }) => tasks.map(({ taskId }) => [taskId, hostId])),
  );

describe('place', () => {
  it('places the most urgent first and lets nobody hold up the next', () => {
    const plan = place(
      snapshot({
        hosts: [host({ hostId: 'i-1', capacity: { cpu: 2048, memory: 8192 } })],
        pending: [
          task('late', {}, { acceptedAt: 2 }),
          task('early', {}, { acceptedAt: 1 }),
          task('huge', { demand: { cpu: 65_536, memory: 1024 }, priority: 5 }),
          task('urgent', { priority: 9 }, { acceptedAt: 3 }),
        ],
      }),
      10,
    );
    expect(hostsOf(plan)).toEqual({ urgent: 'i-1', early: 'i-1' });
    expect(plan.unmet).toEqual(['huge', 'late']);
  });

  it('keeps a strict task off hosts that cannot do what it names, or have not said', () => {
    const isolation = { qos: 'guaranteed', strict: true, cpu: { partition: 'root' } } as const;
    const constraints = [{ type: 'memberOf', expression: strictExpression(isolation) ?? '' }] as const;
    const hosts = [
      host({ hostId: 'i-lacks', registeredAt: 1, agentSeenAt: 5, cannot: ['cpusetPartition'] }),
      host({ hostId: 'i-silent', registeredAt: 1 }),
      host({ hostId: 'i-can', registeredAt: 1, agentSeenAt: 5, cannot: ['memoryMin'] }),
    ];
    const strict = task('strict', { isolation, placement: placement({ constraints }) });
    expect(hostsOf(place(snapshot({ hosts, pending: [strict] }), 10))).toEqual({ strict: 'i-can' });
    const { placements, waits } = place(snapshot({ hosts: hosts.slice(0, 2), pending: [strict] }), 10);
    expect(placements).toEqual([]);
    expect(Object.values(waits[0]?.explanation.refusals ?? {})).toEqual([2]);
  });

  it('leaves back-offs alone and says when the first ends', () => {
    const plan = place(
      snapshot({
        hosts: [host({ hostId: 'i-1' })],
        pending: [task('b', {}, { notBefore: 9_000 }), task('a', {}, { notBefore: 5_000 }), task('c')],
      }),
      1_000,
    );
    expect(hostsOf(plan)).toEqual({ c: 'i-1' });
    expect(plan.wakeAt).toBe(5_000);
    expect(plan.waits.map(({ taskId, explanation }) => [taskId, explanation.next])).toEqual([
      ['b', 'backing off: tried again in 8 s'],
      ['a', 'backing off: tried again in 4 s'],
    ]);
    expect(plan.unmet).toEqual([]);
  });

  it('lets tasks wait for hosts that boot or are on order, and calls only the rest unmet', () => {
    const order: CapacityOrder = {
      orderId: 'order-1',
      cluster: 'main',
      pool: 'general',
      state: 'OPEN',
      createdAt: 0,
      lifecycle: 'on-demand',
      hosts: 2,
      offers: [
        {
          instanceType: 'm6i.large',
          zone: 'us-east-1b',
          subnet: 'subnet-b',
          usdPerHour: 0.1,
          capacity: { cpu: 2048, memory: 7000 },
          architecture: 'x86_64',
        },
      ],
      reason: 'test',
      bought: [],
      errors: [],
    };
    const size = { demand: { cpu: 2048, memory: 2048 } };
    const plan = place(
      snapshot({
        hosts: [
          host({ hostId: 'i-1', state: 'DRAINING' }),
          host({
            hostId: 'i-2',
            state: 'BOOTING',
            capacity: { cpu: 2048, memory: 7000 },
            orderId: 'order-1',
          }),
        ],
        openOrders: [order],
        pending: [task('a', size), task('b', size), task('c', size)],
      }),
      0,
    );
    expect(plan.placements).toEqual([]);
    expect(plan.unmet).toEqual(['c']);
    const next = Object.fromEntries(plan.waits.map(({ taskId, explanation }) => [taskId, explanation.next]));
    expect(next.a).toContain('i-2');
    expect(next.b).toContain('order-1');
    expect(next.c).toContain('to be bought');
    expect(plan.waits[0]?.explanation.refusals).toEqual({ 'state DRAINING': 1, 'state BOOTING': 1 });
  });

  it('counts refusals by cause and names the closest host', () => {
    const plan = place(
      snapshot({
        hosts: [
          host({ hostId: 'i-far', capacity: { cpu: 1024, memory: 1024 } }),
          host({ hostId: 'i-near', capacity: { cpu: 8192, memory: 7168 } }),
          host({ hostId: 'i-other', pool: 'gpu' }),
        ],
        pending: [
          task('a', {
            demand: { cpu: 4096, memory: 8192 },
            placement: placement({ pool: 'general' }),
          }),
        ],
      }),
      0,
    );
    const [wait] = plan.waits;
    expect(wait?.explanation.refusals).toEqual({ cpu: 1, memory: 2, pool: 1 });
    expect(wait?.explanation.closest).toEqual({
      hostId: 'i-near',
      lacks: { memory: 1024 },
      refusal: 'memory',
    });
    expect(wait?.explanation.hostsConsidered).toBe(3);
  });

  it('keeps tasks apart, together, off taken ports and on matching hosts', () => {
    const hosts = [
      host({
        hostId: 'i-1',
        claims: {
          x: claim({ taskId: 'x', demand: { cpu: 256, memory: 256 }, group: 'web', hostPorts: ['80/tcp'] }),
        },
      }),
      host({ hostId: 'i-2', attributes: { disk: 'ssd' } }),
    ];
    const only = (id: string, over: Parameters<typeof task>[1]) =>
      hostsOf(place(snapshot({ hosts, pending: [task(id, over)] }), 0))[id];
    const constraints = (...list: NonNullable<Parameters<typeof placement>[0]>['constraints'] & object) =>
      placement({ constraints: list });
    expect(only('a', { group: 'web', placement: constraints({ type: 'distinctInstance' }) })).toBe('i-2');
    expect(only('a', { placement: constraints({ type: 'affinity', group: 'web' }) })).toBe('i-1');
    expect(only('a', { placement: constraints({ type: 'antiAffinity', group: 'web' }) })).toBe('i-2');
    expect(only('a', { hostPorts: ['80/tcp'] })).toBe('i-2');
    expect(
      only('a', { placement: constraints({ type: 'memberOf', expression: 'attribute:disk == ssd' }) }),
    ).toBe('i-2');
    expect(only('a', { placement: constraints({ type: 'memberOf', expression: 'task:group == web' }) })).toBe(
      'i-1',
    );
    expect(only('a', { placement: constraints({ type: 'affinity', group: 'nobody' }) })).toBeUndefined();
  });

  it('lets the first of a group that wants to be together start anywhere, and the rest join it', () => {
    const together = placement({
      constraints: [{ type: 'affinity', group: 'ring' }],
      strategies: [{ type: 'random' }],
    });
    const pending = ['a', 'b', 'c'].map((id) => task(id, { group: 'ring', placement: together }));
    const plan = place(snapshot({ hosts: [host({ hostId: 'i-1' }), host({ hostId: 'i-2' })], pending }), 0);
    expect(plan.placements).toHaveLength(1);
    expect(plan.placements[0]?.tasks).toHaveLength(3);
  });

  it('spreads over zones, and waits rather than exceed the skew', () => {
    const spread = placement({ strategies: [{ type: 'spread', field: 'zone', maxSkew: 1 }] });
    const pending = ['a', 'b', 'c', 'd'].map((id) => task(id, { placement: spread }));
    const hosts = [
      host({ hostId: 'i-1', zone: 'us-east-1a' }),
      host({ hostId: 'i-2', zone: 'us-east-1b', capacity: { cpu: 1024, memory: 4096 } }),
    ];
    const plan = place(snapshot({ hosts, pending }), 0);
    const counts = Object.fromEntries(plan.placements.map(({ hostId, tasks }) => [hostId, tasks.length]));
    expect(counts).toEqual({ 'i-1': 2, 'i-2': 1 });
    expect(plan.unmet).toEqual(['d']);
  });

  it('spreads over hosts before it packs', () => {
    const spread = placement({ strategies: [{ type: 'spread', field: 'instanceId' }] });
    const pending = ['a', 'b', 'c'].map((id) => task(id, { placement: spread }));
    const hosts = ['i-1', 'i-2', 'i-3'].map((hostId) => host({ hostId }));
    expect(place(snapshot({ hosts, pending }), 0).placements).toHaveLength(3);
    expect(
      place(snapshot({ hosts, pending: pending.map(({ taskId }) => task(taskId)) }), 0).placements,
    ).toHaveLength(1);
  });

  it('shares a GPU by fraction but never splits a share over two devices', () => {
    const hosts = [host({ hostId: 'i-1', capacity: { cpu: 8192, memory: 30_000, gpu: 2000 } })];
    const pending = ['a', 'b', 'c'].map((id) => task(id, { demand: { cpu: 256, memory: 256, gpu: 600 } }));
    const plan = place(snapshot({ hosts, pending }), 0);
    expect(Object.keys(hostsOf(plan))).toHaveLength(2);
    expect(plan.waits[0]?.explanation.refusals).toEqual({ gpu: 1 });
  });
});
