/** cgroup v2's scale of `io.weight`, which iocost has, and the narrower one of the I/O scheduler BFQ. */
const DEFAULT = 100;
const MIN = 1;
const MAX = 10_000;
const BFQ_MAX = 1_000;

/**
 * An `io.weight` on BFQ's scale: the default stays, what is below it too, and what is above is drawn together. As systemd
 * maps it (`BFQ_WEIGHT` in its cgroup-util.h), which writes a unit's own, so that the two agree.
 */
export function bfqWeight(weight: number): number {
  if (weight <= DEFAULT) return Math.max(MIN, weight);
  return DEFAULT + Math.floor(((weight - DEFAULT) * (BFQ_MAX - DEFAULT)) / (MAX - DEFAULT));
}
