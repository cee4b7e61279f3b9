import { expect, test } from 'vitest';
import type { Armed } from './groupTriggers.ts';
import { ALERT_MS, ARM_AFTER_MS, FLOOR_MS, LADDER_MS, PressureWatch } from './pressureWatch.ts';

const PARENT = '/ecs';
const REFUSED: Armed = { refused: 'EMFILE' };

interface World {
  /** Whether the ladder is at rest at a time. */
  rests?(nowMs: number): boolean;
  arm?(cgroup: string, nowMs: number): Armed;
  readonly tasks?: readonly string[];
  /** What happens when. */
  readonly events?: readonly (readonly [atMs: number, happen: (watch: PressureWatch) => void])[];
  readonly untilMs: number;
}

/** Runs the watch in virtual time. Each look is its time, with the tasks looked at when it was not all. */
async function watch({ rests = () => true, arm = () => 'armed', tasks = [], events = [], untilMs }: World) {
  const closing = new AbortController();
  const looks: (number | readonly [number, ...string[]])[] = [];
  const armed: (readonly [number, string])[] = [];
  const armedPerTurn: number[] = [];
  let nowMs = 0;
  const due = events.map(([atMs, happen]) => ({ atMs, work: () => happen(pressure) }));
  const pressure: PressureWatch = new PressureWatch({
    parent: PARENT,
    tasks: () => tasks,
    guarded: (cgroup) => !cgroup.startsWith('/ecs/meek'),
    look: (at, stalled) => {
      looks.push(stalled === undefined ? at : [at, ...stalled]);
      return rests(at);
    },
    arm: (cgroup) => {
      armed.push([nowMs, cgroup]);
      return arm(cgroup, nowMs);
    },
    now: () => nowMs,
    pause: (ms, signal) => {
      const endMs = nowMs + ms;
      while (!signal.aborted) {
        const next = due.toSorted((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined || next.atMs > endMs) {
          nowMs = endMs;
          break;
        }
        due.splice(due.indexOf(next), 1);
        nowMs = next.atMs;
        const before = armed.length;
        next.work();
        armedPerTurn.push(armed.length - before);
      }
      if (nowMs >= untilMs) closing.abort();
      return Promise.resolve();
    },
    later: (ms, work) => due.push({ atMs: nowMs + ms, work }),
  });
  await pressure.run(closing.signal);
  return { looks, armed, armedPerTurn, uncovered: pressure.uncovered };
}
const proven = [0, (pressure: PressureWatch) => pressure.begin()] as const;
const fires = (atMs: number, cgroup: string) =>
  [atMs, (pressure: PressureWatch) => pressure.fired(cgroup)] as const;
const every = (ms: number, from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index * ms);

test('until triggers are known to work it looks every two seconds, and arms none', async () => {
  const { looks, armed } = await watch({ tasks: ['/ecs/a'], untilMs: 10_000 });
  expect(looks).toEqual(every(LADDER_MS, 0, 5));
  expect(armed).toEqual([]);
});

test('a host at rest is left alone but for the floor', async () => {
  const { looks, armed } = await watch({ tasks: ['/ecs/a', '/ecs/b'], events: [proven], untilMs: 100_000 });
  expect(looks).toEqual([0, ...every(FLOOR_MS, LADDER_MS, 4)]);
  expect(armed.slice(0, 3)).toEqual([
    [0, PARENT],
    [ARM_AFTER_MS, '/ecs/a'],
    [ARM_AFTER_MS, '/ecs/b'],
  ]);
});

test('the task that stalls is looked at at once, alone, until it has calmed down', async () => {
  const { looks, armed } = await watch({
    tasks: ['/ecs/a', '/ecs/b'],
    arm: (cgroup, nowMs) => (cgroup === '/ecs/b' && nowMs > 5_500 && nowMs < 18_000 ? 'above' : 'armed'),
    events: [proven, fires(5_500, '/ecs/b')],
    untilMs: 60_000,
  });
  const alert = every(LADDER_MS, 5_500, 8).map((at) => [at, '/ecs/b']);
  expect(looks.slice(0, 10)).toEqual([0, LADDER_MS, ...alert]);
  // Not before the averages can show what has fired, then until they are below the marks.
  const again = armed.filter(([at, cgroup]) => at >= 5_500 && cgroup === '/ecs/b');
  expect(again.slice(0, 3).map(([at]) => at)).toEqual(every(LADDER_MS, 5_500 + ALERT_MS, 3));
  expect(looks[10]).toBe(5_500 + 7 * LADDER_MS + FLOOR_MS);
});

test('others that stall meanwhile are looked at with it, and wake nobody', async () => {
  const { looks } = await watch({
    tasks: ['/ecs/a', '/ecs/b'],
    events: [proven, fires(5_000, '/ecs/a'), fires(5_100, '/ecs/b'), fires(6_900, '/ecs/a')],
    untilMs: 8_000,
  });
  expect(looks.slice(2)).toEqual([
    [5_000, '/ecs/a'],
    [7_000, '/ecs/a', '/ecs/b'],
  ]);
});

test('what stalls for long is no reason to look at the others less often', async () => {
  const { looks } = await watch({
    tasks: ['/ecs/a', '/ecs/b'],
    arm: (cgroup, nowMs) => (cgroup === '/ecs/a' && nowMs > 5_000 ? 'above' : 'armed'),
    events: [proven, fires(5_000, '/ecs/a')],
    untilMs: 100_000,
  });
  const all = looks.filter((look) => typeof look === 'number');
  expect(all.slice(1).every((at, index) => at - (all[index] ?? 0) <= FLOOR_MS + LADDER_MS)).toBe(true);
  expect(looks.length).toBeGreaterThan(45);
});

test('neither a best-effort task nor the group of all wakes it while each task tells by itself', async () => {
  const { looks, armed } = await watch({
    tasks: ['/ecs/a', '/ecs/meek'],
    arm: (cgroup, nowMs) => (cgroup === PARENT && nowMs > 5_000 ? 'above' : 'armed'),
    events: [proven, fires(5_000, PARENT), fires(6_000, '/ecs/meek')],
    untilMs: 70_000,
  });
  expect(looks).toEqual([0, 2_000, 32_000, 62_000]);
  expect(armed.filter(([, cgroup]) => cgroup === '/ecs/meek').map(([at]) => at)).toEqual([
    ARM_AFTER_MS,
    2_000,
    32_000,
    62_000,
  ]);
});

test('a hundred tasks that each stall a little cost a look every thirty seconds', async () => {
  const tasks = Array.from({ length: 100 }, (_, index) => `/ecs/t${index}`);
  const { looks, armedPerTurn } = await watch({
    tasks,
    arm: (cgroup, nowMs) => (cgroup === PARENT && nowMs > 3_000 ? 'above' : 'armed'),
    events: [proven, fires(3_000, PARENT)],
    untilMs: 300_000,
  });
  expect(looks).toHaveLength(11);
  // A few in each turn: what comes meanwhile need not wait.
  expect(armedPerTurn.slice(1, 8)).toEqual([16, 16, 16, 16, 16, 16, 4]);
});

test('a task whose triggers are refused is told of by those of all', async () => {
  const { looks, uncovered } = await watch({
    tasks: ['/ecs/a', '/ecs/b'],
    arm: (cgroup) => (cgroup === '/ecs/b' ? REFUSED : 'armed'),
    events: [proven, fires(5_000, PARENT)],
    untilMs: 60_000,
  });
  // All are looked at, since it is not told which of them stalls.
  expect(looks.slice(0, 8)).toEqual([0, 2_000, ...every(LADDER_MS, 5_000, 6)]);
  expect(looks[8]).toBe(15_000 + FLOOR_MS);
  expect(uncovered).toEqual({ tasks: 1, why: 'EMFILE', toldByAll: true });
});

test('where those of all are refused too, or fire for good, it looks every two seconds', async () => {
  for (const parent of [REFUSED, 'above'] as const) {
    const { looks, uncovered } = await watch({
      tasks: ['/ecs/a', '/ecs/b'],
      arm: (cgroup) => (cgroup === '/ecs/b' ? REFUSED : cgroup === PARENT ? parent : 'armed'),
      events: [proven],
      untilMs: 10_000,
    });
    expect(looks).toEqual(every(LADDER_MS, 0, 5));
    expect(uncovered).toEqual({ tasks: 1, why: 'EMFILE', toldByAll: parent !== REFUSED });
  }
});

test('what was refused is tried again, and a task that goes is no longer told of', async () => {
  const { looks, uncovered } = await watch({
    tasks: ['/ecs/a'],
    arm: (cgroup, nowMs) => (nowMs < 20_000 && cgroup !== PARENT ? REFUSED : 'armed'),
    events: [proven],
    untilMs: 100_000,
  });
  expect(looks).toEqual([0, ...every(FLOOR_MS, LADDER_MS, 4)]);
  expect(uncovered.tasks).toBe(0);
  const gone = await watch({
    tasks: ['/ecs/a'],
    arm: (cgroup) => (cgroup === PARENT ? 'armed' : REFUSED),
    events: [proven, [1_000, (pressure) => pressure.gone('/ecs/a')]],
    untilMs: 1_500,
  });
  expect(gone.uncovered.tasks).toBe(0);
});

test('while the ladder has something to do it looks every two seconds', async () => {
  const { looks } = await watch({
    tasks: ['/ecs/a'],
    rests: (at) => at >= 20_000,
    events: [proven],
    untilMs: 60_000,
  });
  expect(looks).toEqual([...every(LADDER_MS, 0, 11), 50_000]);
});

test('a task that already stalls when it is taken over is looked at', async () => {
  const { looks } = await watch({
    tasks: ['/ecs/a', '/ecs/b'],
    arm: (cgroup, nowMs) => (cgroup === '/ecs/a' && nowMs < 7_000 ? 'above' : 'armed'),
    events: [proven],
    untilMs: 20_000,
  });
  expect(looks.slice(0, 5)).toEqual([
    0,
    [2_000, '/ecs/a'],
    [4_000, '/ecs/a'],
    [6_000, '/ecs/a'],
    [8_000, '/ecs/a'],
  ]);
});
