import type { EngineClock } from './clock.ts';

/** The rate limit AWS puts on its APIs: `burst` tokens at most, refilled continuously at `perSecond`. */
export class TokenBucket {
  private readonly clock: EngineClock;
  private readonly burst: number;
  private readonly perSecond: number;
  private tokens: number;
  private filledAt: number;

  constructor(clock: EngineClock, burst: number, perSecond: number) {
    this.clock = clock;
    this.burst = burst;
    this.perSecond = perSecond;
    this.tokens = burst;
    this.filledAt = clock.now();
  }

  /** Takes `count` tokens when there are as many; takes none otherwise. */
  take(count = 1): boolean {
    const now = this.clock.now();
    const refill = (Math.max(0, now - this.filledAt) / 1000) * this.perSecond;
    this.tokens = Math.min(this.burst, this.tokens + refill);
    this.filledAt = now;
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }
}
