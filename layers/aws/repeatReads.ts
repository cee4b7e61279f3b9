import { setTimeout as delay } from 'node:timers/promises';
import { classifyFailure } from './errors.ts';

export type Sleep = (ms: number) => Promise<unknown>;

export const realSleep: Sleep = (ms) => delay(ms);

const ATTEMPTS = 5;
const BASE_MS = 100;

/**
 * Repeats a read that was throttled or not answered, waiting 100, 200, 400 and 800 ms. A pass is alone on its cluster, so
 * that there is no herd that jitter would have to spread. The last failure is thrown.
 */
export async function repeatRead<T>(sleep: Sleep, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      const { kind } = classifyFailure(error);
      if (attempt === ATTEMPTS || kind === 'denied' || kind === 'rejected') throw error;
      await sleep(BASE_MS * 2 ** (attempt - 1));
    }
  }
}
