import type { DisruptionBudget } from '../model/disruption.ts';
import type { Claim, Host } from '../model/host.ts';
import type { Pool } from '../model/pool.ts';
import { amountOf } from '../model/resources.ts';
import { isWithin } from './timeWindow.ts';

/** One host in ten at a time; moves, with the work they throw away, must pay for themselves within ten minutes. */
export const DEFAULT_BUDGET: DisruptionBudget = {
  maxShare: 0.1,
  moveUsd: 0.0002,
  lostWork: 1,
  settleMs: 60_000,
  paybackMs: 600_000,
};

const HOUR_MS = 3_600_000;

export const budgetOf = (pool: Pool): DisruptionBudget => pool.disruption ?? DEFAULT_BUDGET;

export const isOpen = ({ windows }: DisruptionBudget, nowMs: number): boolean =>
  windows === undefined || windows.some((window) => isWithin(window, nowMs));

/** Hosts of the pool that may still be emptied: of its share, those under way counted, and of its hour. */
export function disruptionsLeft(hosts: readonly Host[], pool: Pool, nowMs: number): number {
  const { maxShare, maxHostsPerHour = Number.POSITIVE_INFINITY } = budgetOf(pool);
  if (maxShare <= 0) return 0;
  const ofPool = hosts.filter((host) => host.pool === pool.name && host.state !== 'TERMINATING');
  const underWay = ofPool.filter(
    ({ state, claims }) => state === 'DRAINING' && Object.keys(claims).length > 0,
  ).length;
  const inShare = Math.max(1, Math.floor(ofPool.length * maxShare)) - underWay;
  return Math.max(0, Math.min(inShare, maxHostsPerHour - recentDisruptions(pool, nowMs).length));
}

/** When hosts of the pool were emptied to save money, as far as it still counts, oldest first. */
export const recentDisruptions = ({ disruptedAt = [] }: Pool, nowMs: number): number[] =>
  disruptedAt.filter((at) => at > nowMs - HOUR_MS);

/** The host's claims when every one of them may be moved. GPU shares stay: where they would go depends on devices. */
export function movableClaims(host: Host): readonly Claim[] | undefined {
  const claims = Object.values(host.claims);
  return claims.every(isMovable) ? claims : undefined;
}

export const isMovable = (claim: Claim): boolean =>
  claim.interruptible &&
  claim.constrained !== true &&
  claim.hold === undefined &&
  claim.heir === undefined &&
  amountOf(claim.demand, 'gpu') === 0;

/** What moving the claims off the host costs, USD: the moves, and the work that they throw away. */
export function costOfMoves(
  host: Host,
  claims: readonly Claim[],
  budget: DisruptionBudget,
  nowMs: number,
): number {
  return claims.reduce((usd, { demand, claimedAt }) => {
    const share = Math.max(
      ...['cpu', 'memory'].map((dimension) => {
        const whole = amountOf(host.capacity, dimension);
        return whole > 0 ? amountOf(demand, dimension) / whole : 0;
      }),
    );
    const workedHours = Math.max(0, nowMs - claimedAt) / HOUR_MS;
    return usd + budget.moveUsd + budget.lostWork * share * workedHours * host.usdPerHour;
  }, 0);
}

/** Whether `usdPerHour` saved pays for moves that cost `usd` soon enough. */
export const paysBack = (usdPerHour: number, usd: number, budget: DisruptionBudget): boolean =>
  (usdPerHour * budget.paybackMs) / HOUR_MS > usd;
