import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  calmLadder,
  climb,
  type LadderEvent,
  type LadderObservation,
  type LadderState,
  type LadderTask,
} from './pressureLadder.ts';

const STEP_MS = 2_000;
const none = { cpu: 0, memory: 0, io: 0 };
const task = (key: string, overrides: Partial<LadderTask>): LadderTask => ({
  key,
  qos: 'burstable',
  cpus: 1,
  memoryBytes: 2 ** 30,
  throttled: false,
  ...overrides,
});

/** Looks every two seconds, `seconds` long, from `state` at `from` ms. */
function watch(observation: LadderObservation, seconds: number, state: LadderState = calmLadder, from = 0) {
  const events: (LadderEvent & { at: number })[] = [];
  let at = from;
  for (let look = 0; look < seconds / (STEP_MS / 1000); look += 1) {
    const next = climb(state, observation, at);
    state = next.state;
    events.push(...next.events.map((event) => ({ ...event, at })));
    at += STEP_MS;
  }
  return { state, events, at };
}

const hog = task('hog', { qos: 'best-effort', cpus: 4 });
const pressedBy = (resource: 'cpu' | 'memory' | 'io', amount: number): LadderObservation => ({
  host: none,
  tasks: [
    task('web', { pressure: { ...none, [resource]: amount } }),
    task('meek', { qos: 'best-effort' }),
    hog,
  ],
});

test('climbs step by step, waits between steps, and takes only from the heaviest best-effort task', () => {
  const { events, state } = watch(pressedBy('cpu', 0.5), 80);
  const up = events.filter(({ kind }) => kind === 'escalate');
  expect(up.map(({ step }) => step)).toEqual(['headroom', 'idle', 'freeze', 'evict', 'evict']);
  expect(new Set(up.map(({ key }) => key))).toEqual(new Set(['hog']));
  const gaps = up.slice(1).map(({ at }, index) => at - (up[index]?.at ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(15_000);
  expect(up[0]).toMatchObject({ pressure: 0.5, threshold: 0.2 });
  expect(up.at(-1)?.kill).toBe(false);
  expect(state.squeezes).toMatchObject({ hog: { cpus: 2, idle: true } });
});

test('gives everything back, in reverse, when the pressure is gone', () => {
  const high = watch(pressedBy('memory', 0.4), 40);
  expect(Object.keys(high.state.squeezes)).toEqual(['hog']);
  const { events, state } = watch(pressedBy('memory', 0), 120, high.state, high.at);
  const down = events.filter(({ kind }) => kind === 'relax').map(({ step }) => step);
  expect(down.at(-1)).toBe('headroom');
  expect(state.squeezes).toEqual({});
  expect(state.rungs.memory.level).toBe(0);
});

test('between the marks nothing changes', () => {
  const high = watch(pressedBy('cpu', 0.5), 24);
  const { events } = watch(pressedBy('cpu', 0.15), 120, high.state, high.at);
  expect(events.filter(({ kind }) => kind !== 'thaw')).toEqual([]);
});

test.each([
  ['a short burst', { ...pressedBy('cpu', 0.9) }, 4],
  [
    'a task held back by its own quota',
    { host: none, tasks: [task('web', { throttled: true, pressure: { ...none, cpu: 0.9 } }), hog] },
    60,
  ],
  ['best-effort tasks pressing each other', { host: { ...none, cpu: 0.9 }, tasks: [hog] }, 60],
])('does nothing for %s', (_, observation, seconds) => {
  expect(watch(observation, seconds).events).toEqual([]);
});

test('pressure that no best-effort task explains is told, and nobody is touched', () => {
  const { events, state } = watch(
    { host: none, tasks: [task('web', { pressure: { ...none, io: 0.9 } })] },
    30,
  );
  expect(events.map(({ kind }) => kind)).toEqual(['unrelieved', 'unrelieved']);
  expect(state.squeezes).toEqual({});
});

test('whatever happens: only best-effort tasks are squeezed, and no freeze outlasts ten seconds', () => {
  const level = fc.double({ min: 0, max: 1, noNaN: true });
  const classes = { a: 'best-effort', b: 'best-effort', c: 'burstable', d: 'guaranteed' } as const;
  const tasks = fc.uniqueArray(
    fc
      .record({
        key: fc.constantFrom('a' as const, 'b' as const, 'c' as const, 'd' as const),
        cpus: fc.double({ min: 0, max: 8, noNaN: true }),
        memoryBytes: fc.nat(2 ** 31),
        throttled: fc.boolean(),
        pressure: fc.record({ cpu: level, memory: level, io: level }),
      })
      .map((each) => ({ ...each, qos: classes[each.key] })),
    { selector: ({ key }) => key, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.array(tasks, { minLength: 5, maxLength: 60 }), (looks) => {
      let state = calmLadder;
      for (const [index, seen] of looks.entries()) {
        const now = index * STEP_MS;
        state = climb(state, { host: none, tasks: seen }, now).state;
        for (const [key, { frozen }] of Object.entries(state.squeezes)) {
          expect(['a', 'b']).toContain(key);
          expect(seen.map((each): string => each.key)).toContain(key);
          if (frozen === undefined) continue;
          expect(frozen.until).toBeGreaterThan(now);
          expect(frozen.until - now).toBeLessThanOrEqual(10_000);
        }
      }
    }),
  );
});
