import type { Pool } from '../../domain/model/pool.ts';
import type { World } from '../world.ts';

export type PoolChange =
  | { readonly outcome: 'changed'; readonly pool: Pool }
  | { readonly outcome: 'contradictory'; readonly minHosts: number; readonly maxHosts: number }
  | { readonly outcome: 'unknown'; readonly pools: readonly string[] };

/** Changes settings of a pool; all that is not named stays. What follows from it happens in the next passes. */
export async function changePool(
  { store, bus }: Pick<World, 'store' | 'bus'>,
  clusterName: string,
  name: string,
  changes: Partial<Pool>,
): Promise<PoolChange> {
  const cluster = await store.getCluster(clusterName);
  const pool = cluster?.pools.find((each) => each.name === name);
  if (pool === undefined) return { outcome: 'unknown', pools: cluster?.pools.map((each) => each.name) ?? [] };
  const { minHosts, maxHosts } = { ...pool, ...changes };
  if (minHosts > maxHosts) return { outcome: 'contradictory', minHosts, maxHosts };
  const changed = await store.changePool(clusterName, name, changes);
  if (changed.outcome === 'refused') return { outcome: 'unknown', pools: [] };
  await bus.provision(clusterName, `the settings of pool ${name} changed`);
  await bus.wake(clusterName, `the settings of pool ${name} changed`);
  return { outcome: 'changed', pool: changed.current };
}
