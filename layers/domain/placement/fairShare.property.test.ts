import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claim } from '../model/host.ts';
import { sourceTag } from '../model/host.ts';
import type { Usage } from '../model/pool.ts';
import type { Task } from '../model/task.ts';
import { HALF_LIFE_MS, heldShares, usageAt } from './fairShare.ts';
import { place } from './place.ts';
import { claim, cluster, host, snapshot, task } from './testWorld.ts';

const SLOTS = 12;
const STEP_MS = 60_000;

interface Saturated {
  /** By source. */
  readonly weights: Readonly<Record<string, number>>;
  /** How many steps a task of the source runs. */
  readonly runs: Readonly<Record<string, number>>;
  readonly steps: number;
}

/** One host of twelve places, every source with more tasks than it can ever get; the mean share of each, and when each first ran. */
function saturate({ weights, runs, steps }: Saturated) {
  const sources = Object.keys(runs);
  let usage: Usage | undefined;
  let running: { readonly task: Task; readonly until: number }[] = [];
  let made = 0;
  const got: Record<string, number> = Object.fromEntries(sources.map((source) => [source, 0]));
  const first: Record<string, number> = {};
  // The first source has filled the queue before any other came.
  const queue: Task[] = sources.flatMap((source) =>
    Array.from({ length: SLOTS * 3 }, () => newTask(source, made++)),
  );
  for (let step = 0; step < steps; step += 1) {
    const nowMs = step * STEP_MS;
    // Measured before the ends of this step: here all ends meet the moment at which one looks, and would go unseen.
    usage = usageAt(usage, heldShares([hostWith(running)]), nowMs);
    running = running.filter(({ until }) => until > step);
    const plan = place(
      snapshot({ cluster: cluster({ weights, usage }), hosts: [hostWith(running)], pending: queue }),
      nowMs,
    );
    for (const { taskId } of plan.placements.flatMap(({ tasks }) => tasks)) {
      const at = queue.findIndex((each) => each.taskId === taskId);
      const [placed] = queue.splice(at, 1);
      if (placed === undefined) throw new Error(`${taskId} was not queued`);
      running.push({ task: placed, until: step + (runs[placed.source] ?? 1) });
      first[placed.source] ??= step;
      queue.push(newTask(placed.source, made++));
    }
    for (const each of running) got[each.task.source] = (got[each.task.source] ?? 0) + 1 / SLOTS / steps;
  }
  return { got, first };
}

const hostWith = (running: readonly { readonly task: Task }[]) =>
  host({
    hostId: 'i-1',
    capacity: { cpu: 1024 * SLOTS, memory: 2048 * SLOTS },
    claims: Object.fromEntries(
      running.map(({ task: { taskId, source, spec } }): [string, Claim] => [
        taskId,
        claim({ taskId, demand: spec.demand, source: sourceTag(source) }),
      ]),
    ),
  });

const newTask = (source: string, at: number): Task =>
  task(`t${String(at).padStart(6, '0')}`, {}, { source, acceptedAt: at });

describe('fair share', () => {
  it('gives each source of a full cluster its weight’s part, however long its tasks run', () => {
    const source = fc.record({ weight: fc.constantFrom(1, 2, 3), run: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(fc.array(source, { minLength: 2, maxLength: 3 }), (sources) => {
        const named = sources.map((each, index) => ({ ...each, name: `source-${index}` }));
        const weights = Object.fromEntries(named.map(({ name, weight }) => [name, weight]));
        const runs = Object.fromEntries(named.map(({ name, run }) => [name, run]));
        const { got } = saturate({ weights, runs, steps: 240 });
        const all = named.reduce((sum, { weight }) => sum + weight, 0);
        for (const { name, weight } of named) {
          expect(
            Math.abs((got[name] ?? 0) - weight / all),
            JSON.stringify({ got, weights, runs }),
          ).toBeLessThan(0.06);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('starves none: the lightest source runs as soon as a place is free', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0.01, 0.1, 1), (run, weight) => {
        const { got, first } = saturate({
          weights: { heavy: 100, light: weight },
          runs: { heavy: run, light: 1 },
          steps: 120,
        });
        expect(first.light).toBeLessThanOrEqual(run);
        expect(got.light).toBeGreaterThan(0);
      }),
      { numRuns: 12 },
    );
  });

  it('keeps order by priority, and by age within a source', () => {
    const pending = [
      task('a2', {}, { source: 'a', acceptedAt: 2 }),
      task('a1', {}, { source: 'a', acceptedAt: 1 }),
      task('b1', {}, { source: 'b', acceptedAt: 3 }),
      task('low', { priority: -1 }, { source: 'c', acceptedAt: 0 }),
    ];
    const two = host({ hostId: 'i-1', capacity: { cpu: 2048, memory: 8192 } });
    const plan = place(snapshot({ hosts: [two], pending }), 0);
    expect(plan.placements[0]?.tasks.map(({ taskId }) => taskId)).toEqual(['a1', 'b1']);
    const urgent = [...pending, task('urgent', { priority: 9 }, { source: 'a', acceptedAt: 9 })];
    const next = place(snapshot({ hosts: [two], pending: urgent }), 0);
    expect(next.placements[0]?.tasks.map(({ taskId }) => taskId)).toEqual(['urgent', 'b1']);
  });

  it('does not charge a source for what fits nowhere', () => {
    const huge = Array.from({ length: 20 }, (_, index) =>
      task(`huge${index}`, { demand: { cpu: 65_536, memory: 1 } }, { source: 'a', acceptedAt: index }),
    );
    const pending = [
      ...huge,
      task('a', {}, { source: 'a', acceptedAt: 90 }),
      task('b1', {}, { source: 'b', acceptedAt: 50 }),
      task('b2', {}, { source: 'b', acceptedAt: 51 }),
    ];
    const two = host({ hostId: 'i-1', capacity: { cpu: 2048, memory: 8192 } });
    const plan = place(snapshot({ hosts: [two], pending }), 0);
    expect(plan.placements[0]?.tasks.map(({ taskId }) => taskId)).toEqual(['a', 'b1']);
  });

  it('forgets half of what was used in a half-life, and tends to what is held', () => {
    const used = { at: 0, bySource: { a: 0.8 } };
    expect(usageAt(used, new Map(), HALF_LIFE_MS).bySource.a).toBeCloseTo(0.4);
    expect(usageAt(used, new Map([['a', 0.2]]), 20 * HALF_LIFE_MS).bySource.a).toBeCloseTo(0.2);
    expect(usageAt({ at: 0, bySource: { a: 0.0002 } }, new Map(), 2 * HALF_LIFE_MS).bySource).toEqual({});
    // In one step or in many, it is the same.
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: HALF_LIFE_MS }), { minLength: 1, maxLength: 8 }),
        (gaps) => {
          const held = new Map([['a', 0.5]]);
          let [at, stepped]: [number, Usage] = [0, used];
          for (const gap of gaps) {
            at += gap;
            stepped = usageAt(stepped, held, at);
          }
          expect(stepped.bySource.a).toBeCloseTo(usageAt(used, held, at).bySource.a ?? 0, 9);
        },
      ),
    );
    // A clock that is behind takes nothing back.
    expect(usageAt({ at: 50, bySource: { a: 0.5 } }, new Map(), 10)).toEqual({
      at: 50,
      bySource: { a: 0.5 },
    });
  });
});
