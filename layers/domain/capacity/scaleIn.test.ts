import { describe, expect, it } from 'vitest';
import { claim, cluster, host, pool, snapshot, task } from '../placement/testWorld.ts';
import { planScaleIn } from './scaleIn.ts';

const idle = (hostId: string, idleSince: number, over = {}) =>
  host({ hostId, idleSince, launchedAt: -120_000, ...over });
const withPool = (over: Parameters<typeof pool>[0]) =>
  cluster({ pools: [pool({ idleHostMs: 1_000, ...over })] });

describe('planScaleIn', () => {
  it('gives back what has been idle long enough and says when to look again', () => {
    const busy = host({
      hostId: 'i-3',
      claims: { a: claim({ taskId: 'a', demand: { cpu: 1, memory: 1 } }) },
    });
    const hosts = [idle('i-1', 0), idle('i-2', 900), busy];
    const plan = planScaleIn(snapshot({ cluster: withPool({}), hosts }), 1_500);
    expect(plan.retire.map(({ hostId }) => hostId)).toEqual(['i-1']);
    expect(plan.wakeAt).toBe(1_900);
  });

  it('keeps minimum, desired and headroom, and whatever pending work could use', () => {
    const hosts = [idle('i-1', 0), idle('i-2', 0), idle('i-3', 0)];
    const retired = (over: Parameters<typeof snapshot>[0]) =>
      planScaleIn(snapshot({ hosts, ...over }), 10_000).retire.length;
    expect(retired({ cluster: withPool({ minHosts: 1 }) })).toBe(2);
    expect(retired({ cluster: withPool({ desiredHosts: 2 }) })).toBe(1);
    expect(retired({ cluster: withPool({ headroom: { cpu: 5000 } }) })).toBe(1);
    expect(retired({ cluster: withPool({}), pending: [task('a')] })).toBe(0);
    expect(
      retired({ cluster: withPool({}), pending: [task('a', { demand: { cpu: 99_999, memory: 1 } })] }),
    ).toBe(3);
  });

  it('gives back an emptied host at once, whatever the pool wants to keep', () => {
    const hosts = [idle('i-1', 1_400, { state: 'DRAINING' })];
    const plan = planScaleIn(snapshot({ cluster: withPool({ minHosts: 1 }), hosts }), 1_500);
    expect(plan.retire).toHaveLength(1);
  });

  it('waits no longer than the observed gaps make worth while', () => {
    const hosts = [idle('i-1', 0)];
    const due = (idleGapsMs: readonly number[]) =>
      planScaleIn(snapshot({ cluster: withPool({ idleHostMs: 60_000, idleGapsMs }), hosts }), 1).wakeAt;
    expect(due([])).toBe(60_000);
    expect(due(Array(8).fill(20_000))).toBe(20_000);
    // Nothing ever came back in time: waiting was always in vain.
    expect(
      planScaleIn(snapshot({ cluster: withPool({ idleGapsMs: Array(8).fill(1e9) }), hosts }), 1).retire,
    ).toHaveLength(1);
  });

  it('keeps the minimum of the hour', () => {
    const hosts = [idle('i-1', 0), idle('i-2', 0)];
    const day = { fromMinute: 8 * 60, toMinute: 18 * 60, hosts: 2 };
    const at = (hour: number) =>
      planScaleIn(snapshot({ cluster: withPool({ minimums: [day] }), hosts }), hour * 3_600_000).retire
        .length;
    expect([9, 17, 18].map(at)).toEqual([0, 0, 2]);
  });

  it('keeps what the tasks need that are being moved, and what was bought for them', () => {
    const moving = claim({ taskId: 'a', demand: { cpu: 1024, memory: 1024 }, interruptible: true });
    const draining = host({ hostId: 'i-0', state: 'DRAINING', claims: { a: moving } });
    const retired = (hosts: readonly ReturnType<typeof host>[], nowMs = 200_000) =>
      planScaleIn(snapshot({ cluster: withPool({}), hosts }), nowMs).retire.map(({ hostId }) => hostId);
    expect(retired([draining, idle('i-1', 0), idle('i-2', 0)])).toEqual(['i-2']);
    const staying = { ...draining, claims: { a: { ...moving, interruptible: false } } };
    expect(retired([staying, idle('i-1', 0)])).toEqual(['i-1']);
    const old = host({ hostId: 'i-0', claims: { a: moving } });
    const bought = idle('i-1', 0, { replaces: ['i-0'] });
    expect(retired([old, bought])).toEqual([]);
    expect(retired([old, bought], 900_000)).toEqual(['i-1']);
    expect(retired([bought])).toEqual(['i-1']);
  });
});
