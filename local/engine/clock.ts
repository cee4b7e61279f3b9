/** Stops a timer that has not fired; harmless afterwards. */
export type Cancel = () => void;

/**
 * The only source of time for every engine of the embedded AWS, so that the simulator can run them in virtual time.
 * `now` is in epoch milliseconds.
 */
export interface EngineClock {
  now(): number;
  /** Runs `action` once, `delayMs` from now. A rejected action is the engine's bug and ends the process. */
  after(delayMs: number, action: () => void | Promise<void>): Cancel;
}

/** setTimeout holds at most 2^31-1 ms; a longer wait would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: EngineClock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(
      () => {
        void action();
      },
      Math.min(Math.max(delayMs, 0), MAX_TIMER_MS),
    );
    return () => clearTimeout(timer);
  },
};
