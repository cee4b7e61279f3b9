import type { LaunchFailures } from '../model/host.ts';

/** A failure counts half after this. */
const HALF_LIFE_MS = 600_000;

/** How many failures there were lately, older ones counting less. */
export const failureScore = ({ score, at }: LaunchFailures, nowMs: number): number =>
  score * 0.5 ** (Math.max(0, nowMs - at) / HALF_LIFE_MS);

/** One more. Rounded, so that a record stays short and every store keeps the same. */
export const withFailure = (before: LaunchFailures | undefined, nowMs: number): LaunchFailures => ({
  score: Number(((before === undefined ? 0 : failureScore(before, nowMs)) + 1).toFixed(3)),
  at: nowMs,
});
