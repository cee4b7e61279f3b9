import type { Pool } from '../model/pool.ts';
import { isWithin } from './timeWindow.ts';

/** Hosts that the pool keeps at this hour whatever the demand, within its maximum. */
export function wantedHosts(
  { minHosts, desiredHosts, maxHosts, minimums = [] }: Pool,
  nowMs: number,
): number {
  const scheduled = minimums.filter((minimum) => isWithin(minimum, nowMs)).map(({ hosts }) => hosts);
  return Math.min(maxHosts, Math.max(minHosts, desiredHosts, ...scheduled));
}
