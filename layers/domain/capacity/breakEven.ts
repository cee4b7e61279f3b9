import { hash32 } from '../lifecycle/backoff.ts';
import type { Host } from '../model/host.ts';
import type { Pool } from '../model/pool.ts';

/**
 * How long to keep an empty host, in ms: the ski-rental question of renting (idling) or buying (giving it back and paying a
 * boot later). Waiting as long as a boot is worth never costs more than twice what foresight would (Karlin et al. 1988);
 * with observed gaps between an emptying and the next use, the wait that would have been cheapest over them is taken, which
 * is at most that long. `bootWorthMs` is the idle time whose price equals a boot: unusable but billed time, plus what the
 * waiting of a task is worth.
 */
export function breakEvenWaitMs(bootWorthMs: number, observedGapsMs: readonly number[]): number {
  if (observedGapsMs.length < LEAST_GAPS) return bootWorthMs;
  const candidates = [0, bootWorthMs, ...observedGapsMs.filter((gap) => gap <= bootWorthMs)];
  let best = bootWorthMs;
  let least = Number.POSITIVE_INFINITY;
  for (const wait of candidates.sort((a, b) => a - b)) {
    const cost = idleCostMs(wait, bootWorthMs, observedGapsMs);
    if (cost >= least) continue;
    least = cost;
    best = wait;
  }
  return best;
}

/** Fewer gaps than this say nothing. */
const LEAST_GAPS = 8;

/** What waiting `waitMs` costs over the gaps, in ms of idle time. A gap equal to the wait is still bridged. */
export const idleCostMs = (waitMs: number, bootWorthMs: number, gapsMs: readonly number[]): number =>
  gapsMs.reduce((sum, gap) => sum + (gap <= waitMs ? gap : waitMs + bootWorthMs), 0);

/** One idle host in so many waits in full, whatever was observed: how else would be seen that work comes back later? */
const PROBES = 8;

export interface IdleWait {
  readonly waitMs: number;
  /** As long as a boot is worth: what is seen of the host's gap then is the truth, and not cut off by what was learned. */
  readonly full: boolean;
}

/** How long an empty host of the pool is kept. Which hosts are probes follows from when they became idle. */
export function idleWait({ idleHostMs, idleGapsMs = [] }: Pool, { hostId, idleSince = 0 }: Host): IdleWait {
  // The hash of texts that differ by a digit differs little: its bits are mixed once more.
  const hash = hash32(`${hostId}/${idleSince}`);
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  const probe = (mixed ^ (mixed >>> 13)) >>> 0 < 2 ** 32 / PROBES;
  const waitMs = probe ? idleHostMs : breakEvenWaitMs(idleHostMs, idleGapsMs);
  return { waitMs, full: waitMs >= idleHostMs };
}
