import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdersWords } from './caps.ts';
import { place } from './place.ts';
import { host, placement, snapshot, task } from './testWorld.ts';

const capped = (id: string, max: number, over: Parameters<typeof task>[1] = {}, key = 'db') =>
  task(id, { concurrency: { key, max }, ...over });

const placedOf = (plan: ReturnType<typeof place>): string[] =>
  plan.placements.flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId)).sort();
const nextOf = (plan: ReturnType<typeof place>, id: string): string | undefined =>
  plan.waits.find(({ taskId }) => taskId === id)?.explanation.next;

describe('concurrency keys', () => {
  const one = () => host({ hostId: 'i-1', capacity: { cpu: 8192, memory: 30_000 } });

  it('give places up to the maximum, and let nobody else wait', () => {
    const pending = [
      capped('a', 2),
      capped('b', 2),
      capped('c', 2),
      task('free'),
      capped('other', 1, {}, 'api'),
    ];
    const plan = place(snapshot({ hosts: [one()], pending, holders: new Map([['db', ['x']]]) }), 0);
    expect(placedOf(plan)).toEqual(['a', 'free', 'other']);
    expect(plan.unmet).toEqual([]);
    expect(plan.preemptions).toEqual([]);
    expect(nextOf(plan, 'b')).toBe('key "db" has 2 of 2 places taken: it is placed when one of them ends');
  });

  it('hold each task to its own maximum', () => {
    const pending = [capped('narrow', 2), capped('wide', 4), capped('wider', 4)];
    const plan = place(snapshot({ hosts: [one()], pending, holders: new Map([['db', ['x', 'y']]]) }), 0);
    expect(placedOf(plan)).toEqual(['wide', 'wider']);
  });

  it('buy for no more tasks than may run', () => {
    const pending = ['a', 'b', 'c', 'd'].map((id) => capped(id, 2));
    const plan = place(snapshot({ hosts: [], pending }), 0);
    expect(plan.unmet).toEqual(['a', 'b']);
    expect(nextOf(plan, 'c')).toContain('2 of 2 places taken');
    const full = place(snapshot({ hosts: [], pending, holders: new Map([['db', ['x', 'y']]]) }), 0);
    expect(full.unmet).toEqual([]);
  });

  it('let the small one go first that fits, not the large one that does not', () => {
    const huge = capped('huge', 1, { demand: { cpu: 65_536, memory: 1 }, priority: 5 });
    const plan = place(snapshot({ hosts: [one()], pending: [huge, capped('small', 1)] }), 0);
    expect(placedOf(plan)).toEqual(['small']);
    expect(plan.unmet).toEqual([]);
  });

  it('start a gang only when all of it may run', () => {
    const gang = placement({ gang: { id: 'g', size: 2 } });
    const pending = [capped('a', 2, { placement: gang }), capped('b', 2, { placement: gang })];
    const held = place(snapshot({ hosts: [one()], pending, holders: new Map([['db', ['x']]]) }), 0);
    expect(placedOf(held)).toEqual([]);
    expect(held.unmet).toEqual([]);
    expect(placedOf(place(snapshot({ hosts: [one()], pending }), 0))).toEqual(['a', 'b']);
  });

  it('never plan more places than each task allows, whatever is queued', () => {
    const queued = fc.array(
      fc.record({
        key: fc.constantFrom('db', 'api', undefined),
        max: fc.integer({ min: 1, max: 4 }),
        cpu: fc.constantFrom(512, 2048, 65_536),
        priority: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(queued, fc.integer({ min: 0, max: 3 }), (entries, taken) => {
        const pending = entries.map(({ key, max, cpu, priority }, index) =>
          task(`t${String(index).padStart(2, '0')}`, {
            demand: { cpu, memory: 1 },
            priority,
            ...(key !== undefined && { concurrency: { key, max } }),
          }),
        );
        const ids = Array.from({ length: taken }, (_, index) => `held${index}`);
        const plan = place(snapshot({ hosts: [one()], pending, holders: new Map([['db', ids]]) }), 0);
        const given = new Set([...placedOf(plan), ...plan.unmet]);
        for (const key of ['db', 'api']) {
          const maxima = pending
            .filter(({ taskId, spec }) => given.has(taskId) && spec.concurrency?.key === key)
            .map(({ spec }) => spec.concurrency?.max ?? 0)
            .sort((a, b) => a - b);
          maxima.forEach((max, index) => {
            expect(index + (key === 'db' ? taken : 0)).toBeLessThan(max);
          });
        }
        const waiting = new Set(plan.waits.map(({ taskId }) => taskId));
        for (const { taskId } of pending) expect(given.has(taskId) || waiting.has(taskId)).toBe(true);
      }),
    );
  });
});

it('names who holds the places', () => {
  const holders = new Map([['db', Array.from({ length: 12 }, (_, index) => `t${index}`)]]);
  expect(holdersWords(capped('a', 12), holders)).toBe(
    'key "db" has 12 of 12 running: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more',
  );
});
