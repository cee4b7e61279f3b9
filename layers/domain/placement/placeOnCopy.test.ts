import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason } from '../model/reason.ts';
import type { PlacementConstraint, PlacementStrategy, Task } from '../model/task.ts';
import { place } from './place.ts';
import { placeOnCopy } from './placeOnCopy.ts';
import { host, placement, snapshot, task } from './testWorld.ts';

const lookedAt: Reason = {
  code: 'WAITING',
  detail: '',
  explanation: { hostsConsidered: 3, refusals: { cpu: 3 }, next: 'capacity is on its way' },
};
const small = { cpu: 1024, memory: 1024 };
const large = { cpu: 9999, memory: 1024 };
const placedIn = (plan: ReturnType<typeof placeOnCopy>): string[] =>
  (plan?.placements ?? []).flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId)).sort();

describe('placing on a copy of hosts', () => {
  it('is placing, as long as everything finds room', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(256, 700, 1024), { maxLength: 12 }),
        fc.integer({ min: 4, max: 8 }),
        (sizes, count) => {
          const hosts = Array.from({ length: count }, (_, n) => host({ hostId: `i-${n}` }));
          const pending = sizes.map((cpu, n) => task(`t${n}`, { demand: { cpu, memory: 100 } }));
          const given = snapshot({ hosts, pending });
          expect(placeOnCopy(given, 0, false)).toEqual(place(given, 0));
        },
      ),
    );
  });

  it('is not enough for a task that nobody has looked for a place for, and that finds none', () => {
    const hosts = [host({ hostId: 'i-1' }), host({ hostId: 'i-2', state: 'BOOTING', capacity: large })];
    const given = snapshot({
      hosts,
      pending: [task('fits', { demand: small }), task('new', { demand: large })],
    });
    expect(placeOnCopy(given, 0, false)).toBeUndefined();
  });

  it('leaves what has been looked at to wait, unsaid, and buys and stops nothing for it', () => {
    const hosts = [host({ hostId: 'i-1' })];
    const pending = [
      task('old', { demand: large, priority: 5 }, { reason: lookedAt }),
      task('fits', { demand: small }),
      task('later', { demand: large }, { notBefore: 60_000 }),
    ];
    const plan = placeOnCopy(snapshot({ hosts, pending }), 0, false);
    expect(placedIn(plan)).toEqual(['fits']);
    expect(plan).toMatchObject({ unmet: [], preemptions: [], wakeAt: 60_000 });
    expect(plan?.waits.map(({ taskId }) => taskId)).toEqual(['later']);
  });

  const neighbours: [string, Partial<Task['spec']['placement']>][] = [
    ['a gang', { gang: { id: 'g', size: 1 } }],
    ['spread', { strategies: [{ type: 'spread', field: 'zone' }] satisfies PlacementStrategy[] }],
    ['distinctInstance', { constraints: [{ type: 'distinctInstance' }] satisfies PlacementConstraint[] }],
    ['affinity', { constraints: [{ type: 'affinity', group: 'db' }] }],
    ['an expression about tasks', { constraints: [{ type: 'memberOf', expression: 'task:group == db' }] }],
  ];
  it.each(neighbours)('is not enough for %s, unless it has been looked at and no room came', (_, rules) => {
    const hosts = [host({ hostId: 'i-1' })];
    const given = (reason: Reason) =>
      snapshot({ hosts, pending: [task('t', { placement: placement(rules) }, { reason })] });
    expect(placeOnCopy(given({ code: 'ACCEPTED', detail: '' }), 0, false)).toBeUndefined();
    expect(placeOnCopy(given(lookedAt), 0, true)).toBeUndefined();
    expect(placeOnCopy(given(lookedAt), 0, false)).toMatchObject({ placements: [], waits: [], unmet: [] });
  });

  it('is enough for what looks at hosts alone', () => {
    const hosts = [host({ hostId: 'i-1' }), host({ hostId: 'i-2', pool: 'special' })];
    const constraints = [
      { type: 'memberOf' as const, expression: 'attribute:ecs.instance-type == m6i.xlarge' },
    ];
    const pending = [task('t', { demand: small, placement: placement({ pool: 'special', constraints }) })];
    const plan = placeOnCopy(snapshot({ hosts, pending }), 0, false);
    expect(plan).toEqual(place(snapshot({ hosts, pending }), 0));
  });
});
