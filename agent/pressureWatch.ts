/** How often the ladder looks while there is pressure, and always where no trigger tells of it. */
export const LADDER_MS = 2_000;
/** With triggers, the host is looked at this often all the same: the floor, should one be lost. */
export const FLOOR_MS = 30_000;
/** A trigger tells of two seconds, the ladder reads averages of ten: until they can show it, it keeps looking. */
export const ALERT_MS = 10_000;

export interface PressureWatchParts {
  /** One look of the ladder; whether there is nothing to do until the pressure rises. */
  look(nowMs: number): boolean;
  /** Calls back once when pressure rises; false when nothing will call. See `PressureTriggers.arm`. */
  arm(fired: () => void): boolean;
  now(): number;
  /** Resolves after `ms` or at once when `signal` aborts; never rejects. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** Lets the ladder look when there is something to see: from the moment a trigger fires until the host is at rest again. */
export async function watchPressure(
  { look, arm, now, pause }: PressureWatchParts,
  closing: AbortSignal,
): Promise<void> {
  let alertUntilMs = -Infinity;
  while (!closing.aborted) {
    const rests = look(now());
    const woken = new AbortController();
    const fired = (): void => {
      alertUntilMs = now() + ALERT_MS;
      woken.abort();
    };
    const told = rests && now() >= alertUntilMs && arm(fired);
    await pause(told ? FLOOR_MS : LADDER_MS, AbortSignal.any([closing, woken.signal]));
  }
}
