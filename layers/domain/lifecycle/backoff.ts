/** FNV-1a, 32 bit: spreads decisions without randomness, so that a pass repeated decides the same. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
}

export const retryBackoff: BackoffPolicy = { baseMs: 1_000, maxMs: 300_000 };

/**
 * Capped exponential back-off with equal jitter: half the step is fixed, half follows from `seed` (AWS Architecture
 * Blog, "Exponential Backoff And Jitter"). `step` counts from 1. Milliseconds.
 */
export function backoffMs(step: number, seed: string, policy: BackoffPolicy = retryBackoff): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(Math.max(step - 1, 0), 30));
  const fraction = hash32(`${seed}#${step}`) / 0x1_0000_0000;
  return Math.round(ceiling / 2 + (ceiling / 2) * fraction);
}
