import type { EngineClock } from './clock.ts';
import { type Deadline, Deadlines } from './deadlines.ts';

/** Virtual time: it passes only in `run`, `advance` and `until`, and timers fire in the order of their deadlines. */
export interface VirtualClock extends EngineClock {
  /** Timers that have not fired. */
  readonly pending: number;
  /** Fires every timer due up to `untilMs`, letting promises settle after each, then stands at `untilMs`. */
  run(untilMs: number): Promise<void>;
  /** `run` for `ms` from now; 0 settles promises and fires what is due. */
  advance(ms: number): Promise<void>;
  /** Runs timer by timer until `condition` holds; rejects when it does not within `limitMs` of virtual time. */
  until(condition: () => boolean, limitMs: number): Promise<void>;
}

/** Real event-loop turns are dear; one in so many timers keeps the process answering to signals and I/O. */
const TIMERS_PER_TURN = 4096;

/**
 * `startMs` is in epoch ms. An action may be async and wait for later timers of the same clock: it is not awaited, but
 * its rejection ends the `run` that fired it.
 */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = new Deadlines<() => void | Promise<void>>();
  let nowMs = startMs;
  let fired = 0;
  let failure: { readonly error: unknown } | undefined;

  const fire = (action: () => void | Promise<void>): void => {
    const result = action();
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        failure ??= { error };
      });
    }
  };
  const settle = async (): Promise<void> => {
    if (++fired % TIMERS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    // Node empties the microtask queue before it turns to the next-tick queue, so this resumes when all promise
    // reactions, the ones they cause included, have run.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    if (failure !== undefined) {
      const { error } = failure;
      failure = undefined;
      throw error;
    }
  };
  /** Fires the earliest timer due by `untilMs`; false when there is none. */
  const step = async (untilMs: number): Promise<boolean> => {
    const earliestMs = timers.earliestMs;
    if (earliestMs === undefined || earliestMs > untilMs) return false;
    nowMs = Math.max(nowMs, earliestMs);
    const action = timers.takeDue(nowMs);
    if (action !== undefined) fire(action);
    await settle();
    return true;
  };

  const clock: VirtualClock = {
    now: () => nowMs,
    after(delayMs, action) {
      const entry: Deadline<() => void | Promise<void>> = timers.add(action, nowMs + Math.max(0, delayMs));
      return () => timers.remove(entry);
    },
    get pending() {
      return timers.size;
    },
    async run(untilMs) {
      await settle();
      while (await step(untilMs));
      nowMs = Math.max(nowMs, untilMs);
    },
    advance: (ms) => clock.run(nowMs + ms),
    async until(condition, limitMs) {
      const untilMs = nowMs + limitMs;
      await settle();
      while (!condition()) {
        if (!(await step(untilMs))) throw new Error(`not so within ${limitMs} ms of virtual time`);
      }
    },
  };
  return clock;
}

/** The time of `clock` without its timers, as after the process has died: what it had planned never happens. */
export const restarted = (clock: VirtualClock): VirtualClock => virtualClock(clock.now());
