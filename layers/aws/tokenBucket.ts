import type { Clock } from '../ports/clock.ts';

export interface TokenBucket {
  /** Takes a token if there is one. */
  take(): boolean;
  /** The service has refused for rate: takes all tokens away, so that one refusal is not answered by a burst of calls. */
  drain(): void;
}

/** A bucket of `burst` tokens that fills at `perSecond`. */
export function createTokenBucket(clock: Clock, burst: number, perSecond: number): TokenBucket {
  let tokens = burst;
  let filledAt = clock.now();
  const fill = (): void => {
    const now = clock.now();
    // A clock set back gives nothing and takes nothing.
    tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) * perSecond) / 1000);
    filledAt = now;
  };
  return {
    take: () => {
      fill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    drain: () => {
      fill();
      tokens = 0;
    },
  };
}
