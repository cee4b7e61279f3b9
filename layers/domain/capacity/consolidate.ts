import type { Host } from '../model/host.ts';
import type { ScaleInPlan } from '../model/plan.ts';
import type { Pool } from '../model/pool.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { type DisruptionBudget, disruptionsLeft, isOpen, movableClaims, paysBack } from './disruption.ts';
import { Rooms } from './rooms.ts';

/** Hosts looked at in one pass, worst first. */
const MAX_CANDIDATES = 64;

export interface Drains {
  readonly drain: ScaleInPlan['drain'];
  /** Empty hosts that the drained tasks will need. */
  readonly needed: ReadonlySet<string>;
}

const NO_DRAINS: Drains = { drain: [], needed: new Set() };

/**
 * Hosts to empty because the others have room for all they carry: m hosts become n, of which the new ones, if any, are up
 * already. Only drains that lower the fleet's price are chosen, an empty host that comes into use counting as a price, so
 * on a constant workload drains come to an end.
 */
export function drainsOf(
  snapshot: Snapshot,
  pool: Pool,
  spareHosts: number,
  budget: DisruptionBudget,
  nowMs: number,
): Drains {
  // While tasks wait, room is theirs.
  if (!isOpen(budget, nowMs) || snapshot.pending.length > 0) return NO_DRAINS;
  const hosts = snapshot.hosts.filter((host) => host.pool === pool.name && host.state === 'READY');
  const allowed = Math.min(disruptionsLeft(snapshot.hosts, pool.name, budget), spareHosts);
  if (allowed <= 0) return NO_DRAINS;
  const chosen = bestPrefix(hosts, tryDrains(hosts, allowed, budget, nowMs));
  if (chosen.length === 0) return NO_DRAINS;
  // Once more with the chosen ones alone, to know which empty hosts they need.
  const rooms = new Rooms(hosts);
  for (const row of chosen) rooms.close(row);
  const drain = chosen.map((row) => {
    const host = hosts[row] as Host;
    const claims = movableClaims(host) ?? [];
    rooms.moveAll(claims, row);
    const tasks = `${claims.length} task${claims.length === 1 ? '' : 's'}`;
    const reason = `its ${tasks} fit on other hosts: saves ${host.usdPerHour.toFixed(4)} USD an hour`;
    return { hostId: host.hostId, epoch: host.epoch, reason };
  });
  return { drain, needed: rooms.opened() };
}

interface Tried {
  readonly row: number;
  /** USD an hour of empty hosts in use after this drain. */
  readonly openedUsd: number;
}

function tryDrains(
  hosts: readonly Host[],
  allowed: number,
  budget: DisruptionBudget,
  nowMs: number,
): Tried[] {
  const rooms = new Rooms(hosts);
  const tried: Tried[] = [];
  for (const row of worstFirst(hosts).slice(0, MAX_CANDIDATES)) {
    if (tried.length >= allowed) break;
    const host = hosts[row] as Host;
    if (!isCandidate(host, budget, nowMs)) continue;
    rooms.close(row);
    if (rooms.moveAll(movableClaims(host) ?? [], row)) tried.push({ row, openedUsd: rooms.openedUsd });
    else rooms.reopen(row);
  }
  return tried;
}

/** A host whose tasks may all be moved, that has settled, and whose price pays for the moves. */
export function isCandidate(host: Host, budget: DisruptionBudget, nowMs: number): boolean {
  const claims = movableClaims(host);
  if (claims === undefined || claims.length === 0) return false;
  return nowMs - host.launchedAt >= budget.settleMs && paysBack(host.usdPerHour, claims.length, budget);
}

/** The first drains that together save most. */
function bestPrefix(hosts: readonly Host[], tried: readonly Tried[]): number[] {
  let [saved, most, length] = [0, 1e-9, 0];
  tried.forEach(({ row, openedUsd }, n) => {
    saved += hosts[row]?.usdPerHour ?? 0;
    if (saved - openedUsd > most) {
      most = saved - openedUsd;
      length = n + 1;
    }
  });
  return tried.slice(0, length).map(({ row }) => row);
}

/** Most USD an hour for what is unused first. */
export function worstFirst(hosts: readonly Host[]): number[] {
  const waste = hosts.map((host) => host.usdPerHour * unusedShare(host));
  return [...hosts.keys()].sort((a, b) => (waste[b] ?? 0) - (waste[a] ?? 0) || a - b);
}

function unusedShare({ capacity, left }: Host): number {
  let [sum, dimensions] = [0, 0];
  for (const dimension of ['cpu', 'memory']) {
    const whole = capacity[dimension] ?? 0;
    if (whole <= 0) continue;
    sum += (left[dimension] ?? 0) / whole;
    dimensions += 1;
  }
  return dimensions === 0 ? 0 : sum / dimensions;
}
