import type { Claim, Host } from '../model/host.ts';
import { amountOf } from '../model/resources.ts';

/** How much of a pool may be disturbed to save money. */
export interface DisruptionBudget {
  /** Share of the pool's hosts that may be emptied at one time; at least one host may. */
  readonly maxShare: number;
  /** Times of the UTC day, in minutes, between which it may happen; always when absent. */
  readonly window?: { readonly fromMinute: number; readonly toMinute: number };
  /** What stopping one task and starting it elsewhere is taken to cost, USD. */
  readonly moveUsd: number;
  /** A host younger than this has not proved superfluous, ms. */
  readonly settleMs: number;
  /** What is saved within this time has to exceed what the moves cost, ms. */
  readonly paybackMs: number;
}

/** One host in ten at a time; a move must pay for itself within ten minutes. */
export const DEFAULT_BUDGET: DisruptionBudget = {
  maxShare: 0.1,
  moveUsd: 0.0002,
  settleMs: 60_000,
  paybackMs: 600_000,
};

const MINUTES_A_DAY = 1440;

export function isOpen({ window }: DisruptionBudget, nowMs: number): boolean {
  if (window === undefined) return true;
  const minute = Math.floor(nowMs / 60_000) % MINUTES_A_DAY;
  const { fromMinute, toMinute } = window;
  return fromMinute <= toMinute
    ? minute >= fromMinute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;
}

/** Hosts of the pool that may still be emptied, those under way counted. */
export function disruptionsLeft(hosts: readonly Host[], pool: string, budget: DisruptionBudget): number {
  const ofPool = hosts.filter((host) => host.pool === pool && host.state !== 'TERMINATING');
  const underWay = ofPool.filter(
    ({ state, claims }) => state === 'DRAINING' && Object.keys(claims).length > 0,
  ).length;
  return Math.max(0, Math.max(1, Math.floor(ofPool.length * budget.maxShare)) - underWay);
}

/** The host's claims when every one of them may be moved. GPU shares stay: where they would go depends on devices. */
export function movableClaims(host: Host): readonly Claim[] | undefined {
  const claims = Object.values(host.claims);
  const movable = claims.every(
    (claim) => claim.interruptible && claim.constrained !== true && amountOf(claim.demand, 'gpu') === 0,
  );
  return movable ? claims : undefined;
}

/** Whether `usdPerHour` saved pays for moving the claims soon enough. */
export const paysBack = (usdPerHour: number, moves: number, budget: DisruptionBudget): boolean =>
  (usdPerHour * budget.paybackMs) / 3_600_000 > moves * budget.moveUsd;
