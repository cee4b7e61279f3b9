import type { Host } from '../model/host.ts';
import type { Pool } from '../model/pool.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { isCandidate, worstFirst } from './consolidate.ts';
import { budgetOf, disruptionsLeft, isOpen } from './disruption.ts';

/** Whether it is worth asking what EC2 sells: everything is quiet, and some host could be replaced. */
export function mayReplace({ cluster, pending, openOrders, hosts }: Snapshot, nowMs: number): boolean {
  const quiet =
    !cluster.paused &&
    pending.length === 0 &&
    openOrders.every(({ state }) => state !== 'OPEN') &&
    hosts.every(({ state, idleSince }) => state === 'READY' && idleSince === undefined);
  return quiet && cluster.pools.some((pool) => candidatesOf(hosts, pool, nowMs).length > 0);
}

/** Hosts that may be emptied now, worst first. */
export function candidatesOf(hosts: readonly Host[], pool: Pool, nowMs: number): Host[] {
  if (!isOpen(budgetOf(pool), nowMs) || disruptionsLeft(hosts, pool, nowMs) === 0) return [];
  const ofPool = hosts.filter((host) => host.pool === pool.name);
  return worstFirst(ofPool)
    .flatMap((row) => ofPool[row] ?? [])
    .filter((host) => isCandidate(host, pool, nowMs));
}
