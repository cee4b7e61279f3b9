import { describe, expect, it } from 'vitest';
import type { Host } from '../model/host.ts';
import { place } from './place.ts';
import { claim, cluster, host, placement, pool, snapshot, task } from './testWorld.ts';

const busy = (hostId: string, claims: Parameters<typeof claim>[0][], over: Partial<Host> = {}): Host =>
  host({
    hostId,
    capacity: { cpu: 4096, memory: 8192 },
    claims: Object.fromEntries(claims.map((each) => [each.taskId, claim({ interruptible: true, ...each })])),
    ...over,
  });

const full = (hosts: readonly Host[]) => ({
  cluster: cluster({ pools: [pool({ maxHosts: hosts.length })] }),
  hosts,
});

describe('preemption', () => {
  const size = { cpu: 2048, memory: 4096 };
  const hosts = [
    busy('i-1', [
      { taskId: 'low', demand: size, priority: -5 },
      { taskId: 'mid', demand: size, priority: 3 },
    ]),
    busy('i-2', [
      { taskId: 'lower', demand: size, priority: -9 },
      { taskId: 'fixed', demand: size, priority: -9, interruptible: false },
    ]),
  ];

  it('stops the fewest, least urgent, interruptible tasks, only when no pool can grow', () => {
    const pending = [task('vip', { demand: size, priority: 5 })];
    const plan = place(snapshot({ ...full(hosts), pending }), 0);
    expect(plan.preemptions).toEqual([
      { taskId: 'vip', attempt: 1, hostId: 'i-2', epoch: 1, victims: [{ taskId: 'lower', attempt: 1 }] },
    ]);
    expect(plan.unmet).toEqual([]);
    expect(plan.waits[0]?.explanation.next).toContain('1 less urgent task on i-2');
    expect(place(snapshot({ hosts, pending }), 0).unmet).toEqual(['vip']);
    expect(place(snapshot({ ...full(hosts), pending }), 0, { preempt: 'never' }).unmet).toEqual(['vip']);
  });

  it('never stops equals, and keeps within its budget', () => {
    const equal = [task('same', { demand: size, priority: -9 })];
    expect(place(snapshot({ ...full(hosts), pending: equal }), 0).preemptions).toEqual([]);
    const many = ['a', 'b', 'c'].map((id) => task(id, { demand: size, priority: 9 }));
    const plan = place(snapshot({ ...full(hosts), pending: many }), 0, { maxVictims: 2 });
    expect(plan.preemptions.map(({ victims }) => victims[0]?.taskId)).toEqual(['lower', 'low']);
    expect(plan.unmet).toEqual(['c']);
  });

  it('prefers the one task that is enough, and counts what already stops as free', () => {
    const mixed = [
      busy('i-1', [
        { taskId: 'small1', demand: { cpu: 1024, memory: 1024 } },
        { taskId: 'small2', demand: { cpu: 1024, memory: 1024 } },
        { taskId: 'large', demand: size },
      ]),
    ];
    const pending = [task('vip', { demand: size, priority: 5 })];
    const plan = place(snapshot({ ...full(mixed), pending }), 0);
    expect(plan.preemptions[0]?.victims.map(({ taskId }) => taskId)).toEqual(['large']);
    const stopping = [
      busy('i-1', [
        { taskId: 'old', demand: size, stopping: true },
        { taskId: 'new', demand: size },
      ]),
    ];
    const again = place(snapshot({ ...full(stopping), pending }), 0);
    expect(again.preemptions).toEqual([{ taskId: 'vip', attempt: 1, hostId: 'i-1', epoch: 1, victims: [] }]);
  });

  it('frees the devices a whole GPU needs', () => {
    const gpuHost = busy(
      'i-1',
      ['a', 'b', 'c'].map((taskId, n) => ({ taskId, demand: { gpu: 600 }, claimedAt: n, priority: n })),
      { capacity: { cpu: 4096, memory: 8192, gpu: 3000 }, left: { cpu: 4096, memory: 8192, gpu: 1200 } },
    );
    const pending = [task('vip', { demand: { gpu: 1000 }, priority: 5 })];
    const plan = place(snapshot({ ...full([gpuHost]), pending }), 0);
    expect(plan.preemptions[0]?.victims.map(({ taskId }) => taskId)).toEqual(['a']);
  });
});

describe('gangs', () => {
  const gang = (size: number) => placement({ gang: { id: 'g', size } });
  const members = (count: number, size: number) =>
    Array.from({ length: count }, (_, n) =>
      task(`m${n}`, { demand: { cpu: 2048, memory: 1024 }, placement: gang(size) }),
    );

  it('places all members or none, and buys only for those without room', () => {
    const hosts = [host({ hostId: 'i-1' })];
    expect(place(snapshot({ hosts, pending: members(2, 2) }), 0).placements[0]?.tasks).toHaveLength(2);
    const plan = place(
      snapshot({ hosts, pending: [...members(3, 3), task('late', {}, { acceptedAt: 9 })] }),
      10,
    );
    expect(plan.placements).toEqual([]);
    expect(plan.unmet).toEqual(['m2', 'late']);
    expect(plan.waits[0]?.explanation.next).toContain('room for 1 of 3 is missing');
  });

  it('waits for members that are not queued yet, and gives way meanwhile', () => {
    const hosts = [host({ hostId: 'i-1' })];
    const plan = place(snapshot({ hosts, pending: [...members(2, 4), task('other')] }), 0);
    expect(plan.placements.flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId))).toEqual(['other']);
    expect(plan.waits[0]?.explanation.next).toContain('2 of 4 members are queued');
    expect(plan.unmet).toEqual([]);
  });

  it('takes booked devices and ports back when a gang does not fit', () => {
    const hosts = [host({ hostId: 'i-1', capacity: { cpu: 8192, memory: 9000, gpu: 2000 } })];
    const pending = [
      ...Array.from({ length: 3 }, (_, n) =>
        task(`m${n}`, { demand: { gpu: 1000 }, placement: gang(3), priority: 1 }),
      ),
    ];
    const plan = place(snapshot({ hosts, pending }), 0);
    expect(plan.placements).toEqual([]);
    expect(plan.unmet).toEqual(['m2']);
  });
});
