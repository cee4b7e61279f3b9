import type { Host } from '../model/host.ts';
import type { Drain } from '../model/plan.ts';
import type { Pool } from '../model/pool.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { whyPenalised } from '../placement/penalty.ts';
import { budgetOf, costOfMoves, disruptionsLeft, isOpen, movableClaims, paysBack } from './disruption.ts';
import { Rooms } from './rooms.ts';
import { wantedHosts } from './wantedHosts.ts';

/** Hosts looked at in one pass, worst first. */
const MAX_CANDIDATES = 64;

export interface Drains {
  readonly drain: readonly Drain[];
  /** Empty hosts that the drained tasks will need. */
  readonly needed: ReadonlySet<string>;
}

const NO_DRAINS: Drains = { drain: [], needed: new Set() };

/**
 * Hosts to empty because the others have room for all they carry: m hosts become n, of which the new ones, if any, are up
 * already. Only drains that lower the fleet's price are chosen, an empty host that comes into use counting as a price, so
 * on a constant workload drains come to an end.
 */
export function planDrains(snapshot: Snapshot, nowMs: number): Drains {
  if (snapshot.cluster.paused) return NO_DRAINS;
  const ofPools = snapshot.cluster.pools.map((pool) => drainsOf(snapshot, pool, nowMs));
  return {
    drain: ofPools.flatMap(({ drain }) => drain),
    needed: new Set(ofPools.flatMap(({ needed }) => [...needed])),
  };
}

export function drainsOf(snapshot: Snapshot, pool: Pool, nowMs: number): Drains {
  if (!isOpen(budgetOf(pool), nowMs)) return NO_DRAINS;
  const ofPool = snapshot.hosts.filter((host) => host.pool === pool.name);
  const serving = ofPool.filter(({ state }) => state === 'READY' || state === 'BOOTING').length;
  const spare = serving - Math.max(wantedHosts(pool, nowMs), pool.leastHosts ?? 0);
  const allowed = Math.min(disruptionsLeft(snapshot.hosts, pool, nowMs), spare);
  if (allowed <= 0) return NO_DRAINS;
  const hosts = ofPool.filter(({ state }) => state === 'READY');
  const open = (): Rooms | undefined => roomsBesides(hosts, pool, snapshot.pending, nowMs);
  const tried = open();
  const chosen = tried === undefined ? [] : bestPrefix(hosts, pool, tryDrains(tried, pool, allowed, nowMs));
  // Once more with the chosen ones alone, to know which empty hosts they need.
  const rooms = open();
  if (chosen.length === 0 || rooms === undefined) return NO_DRAINS;
  for (const row of chosen) rooms.close(row);
  const drain = chosen.map((row) => {
    const host = hosts[row] as Host;
    const claims = movableClaims(host) ?? [];
    rooms.moveAll(claims, row);
    const tasks = `${claims.length} task${claims.length === 1 ? '' : 's'}`;
    const fit = claims.length === 1 ? 'fits' : 'fit';
    const reason = `its ${tasks} ${fit} on other hosts: saves ${priceOf(host, pool).toFixed(4)} USD an hour`;
    return { hostId: host.hostId, pool: pool.name, epoch: host.epoch, reason };
  });
  return { drain, needed: rooms.opened() };
}

/**
 * The room that is left beside tasks that wait; undefined when one of them finds none: then room is what lacks. A host that
 * placement would take last, as it stalls its tasks or its agent is silent, is no place to move tasks to.
 */
function roomsBesides(
  hosts: readonly Host[],
  pool: Pool,
  pending: readonly Task[],
  nowMs: number,
): Rooms | undefined {
  const rooms = new Rooms(hosts);
  hosts.forEach((host, row) => {
    if (whyPenalised(host, nowMs) !== undefined) rooms.close(row);
  });
  for (const { spec } of pending) {
    if ((spec.placement.pool ?? pool.name) === pool.name && !rooms.keepFor(spec)) return undefined;
  }
  return rooms;
}

/** USD an hour that go with the host. */
export const priceOf = (host: Host, pool: Pool): number => host.usdPerHour + (pool.hostUsdPerHour ?? 0);

interface Tried {
  readonly row: number;
  /** Empty hosts in use after this drain. */
  readonly opened: ReadonlySet<string>;
}

function tryDrains(rooms: Rooms, pool: Pool, allowed: number, nowMs: number): Tried[] {
  const { hosts } = rooms;
  const tried: Tried[] = [];
  for (const row of worstFirst(hosts).slice(0, MAX_CANDIDATES)) {
    if (tried.length >= allowed) break;
    const host = hosts[row] as Host;
    if (rooms.kept.has(row) || !isCandidate(host, pool, nowMs)) continue;
    const wasOpen = rooms.close(row);
    if (rooms.moveAll(movableClaims(host) ?? [], row)) tried.push({ row, opened: rooms.opened() });
    else if (wasOpen) rooms.reopen(row);
  }
  return tried;
}

/** A host whose tasks may all be moved, that has settled with them, and whose price pays for the moves. */
export function isCandidate(host: Host, pool: Pool, nowMs: number): boolean {
  const budget = budgetOf(pool);
  const claims = movableClaims(host);
  if (claims === undefined || claims.length === 0) return false;
  const settled = Math.max(host.launchedAt, ...claims.map(({ claimedAt }) => claimedAt)) + budget.settleMs;
  if (nowMs < settled) return false;
  return paysBack(priceOf(host, pool), costOfMoves(host, claims, budget, nowMs), budget);
}

/** The first drains that together save most. */
function bestPrefix(hosts: readonly Host[], pool: Pool, tried: readonly Tried[]): number[] {
  let [saved, most, length] = [0, 1e-9, 0];
  tried.forEach(({ row, opened }, n) => {
    const spent = hosts.reduce((usd, host) => (opened.has(host.hostId) ? usd + priceOf(host, pool) : usd), 0);
    saved += priceOf(hosts[row] as Host, pool);
    if (saved - spent > most) {
      most = saved - spent;
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
