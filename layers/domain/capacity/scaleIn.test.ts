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
});
