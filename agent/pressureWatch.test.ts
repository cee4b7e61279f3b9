import { expect, test } from 'vitest';
import { ALERT_MS, FLOOR_MS, LADDER_MS, watchPressure } from './pressureWatch.ts';

interface Host {
  /** Whether the ladder is at rest at a time. */
  rests(nowMs: number): boolean;
  /** When a trigger fires, if one is armed then. */
  readonly firesAtMs: readonly number[];
  readonly triggers: boolean;
}

/** Runs the watch in virtual time up to `untilMs`; the times of its looks. */
async function looksOf({ rests, firesAtMs, triggers }: Host, untilMs: number): Promise<number[]> {
  const closing = new AbortController();
  const looks: number[] = [];
  let nowMs = 0;
  let armed: (() => void) | undefined;
  await watchPressure(
    {
      look: (at) => {
        looks.push(at);
        return rests(at);
      },
      arm: (fired) => {
        armed = triggers ? fired : undefined;
        return triggers;
      },
      now: () => nowMs,
      pause: (ms) => {
        const next = firesAtMs.find((at) => at > nowMs && at <= nowMs + ms);
        const fired = armed;
        nowMs = next === undefined || fired === undefined ? nowMs + ms : next;
        if (fired !== undefined && next !== undefined) {
          armed = undefined;
          fired();
        }
        if (nowMs >= untilMs) closing.abort();
        return Promise.resolve();
      },
    },
    closing.signal,
  );
  return looks;
}

test('without triggers it looks every two seconds', async () => {
  const looks = await looksOf({ rests: () => true, firesAtMs: [5_000], triggers: false }, 10_000);
  expect(looks).toEqual([0, LADDER_MS, 2 * LADDER_MS, 3 * LADDER_MS, 4 * LADDER_MS]);
});

test('with triggers a host at rest is left alone but for the floor', async () => {
  const looks = await looksOf({ rests: () => true, firesAtMs: [], triggers: true }, 100_000);
  expect(looks).toEqual([0, FLOOR_MS, 2 * FLOOR_MS, 3 * FLOOR_MS]);
});

test('a trigger is followed by a look at once, and by more until the averages can show it', async () => {
  const looks = await looksOf({ rests: () => true, firesAtMs: [5_500], triggers: true }, 40_000);
  expect(looks.slice(0, 3)).toEqual([0, 5_500, 5_500 + LADDER_MS]);
  const alert = looks.filter((at) => at >= 5_500 && at <= 5_500 + ALERT_MS);
  expect(alert).toHaveLength(ALERT_MS / LADDER_MS + 1);
  expect(looks.at(-1)).toBe(5_500 + ALERT_MS);
});

test('while the ladder is not at rest no trigger is asked for', async () => {
  const looks = await looksOf({ rests: (at) => at >= 20_000, firesAtMs: [1_000], triggers: true }, 60_000);
  expect(looks.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, index) => index * LADDER_MS));
  expect(looks.slice(11)).toEqual([20_000 + FLOOR_MS]);
});
