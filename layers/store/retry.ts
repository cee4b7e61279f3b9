import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnavailable } from '../ports/store.ts';
import { classify, toThrow } from './errors.ts';

/** Bounds the store's own retries, those for items that another transaction holds; throttles are the SDK's. */
export interface RetryBounds {
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0..1 */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export const defaultRetryBounds: RetryBounds = {
  attempts: 8,
  baseMs: 10,
  maxMs: 400,
  random: Math.random,
  sleep: (ms) => delay(ms),
};

/** Full jitter (AWS, "Exponential Backoff and Jitter"): anywhere between nothing and the doubled bound. */
export const backOffMs = (bounds: RetryBounds, attempt: number): number =>
  bounds.random() * Math.min(bounds.maxMs, bounds.baseMs * 2 ** attempt);

/** Runs one request, again while its items are busy; what is not an answer leaves as `StoreUnavailable`. */
export async function request<T>(bounds: RetryBounds, send: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (classify(error) !== 'busy' || attempt + 1 >= bounds.attempts) throw toThrow(error);
      await bounds.sleep(backOffMs(bounds, attempt));
    }
  }
}

/** Repeats a read-decide-write until the write's guard meets what was read; `undefined` from `attempt` means it did not. */
export async function untilStable<T>(
  bounds: RetryBounds,
  what: string,
  tryOnce: () => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 0; attempt < bounds.attempts; attempt++) {
    const result = await tryOnce();
    if (result !== undefined) return result;
    await bounds.sleep(backOffMs(bounds, attempt));
  }
  throw new StoreUnavailable(`${what} changed under us ${bounds.attempts} times`);
}
