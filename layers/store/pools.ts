import type { Pool } from '../domain/model/pool.ts';
import type { ClusterStore } from '../ports/store.ts';
import { type Item, Update } from './expression.ts';
import { poolKey } from './keys.ts';
import { untilStable } from './retry.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

/** How many applied changes a pool remembers. An alarm's delivery is repeated for hours at most, not for this many changes. */
export const REMEMBERED_CHANGES = 64;

export const poolItem = (pool: Pool): Item => ({
  ...poolKey(pool.cluster, pool.name),
  kind: 'POOL',
  ...pool,
});

export function poolFromItem(item: Item): Pool {
  const { pk: _pk, sk: _sk, kind: _kind, changes: _changes, ...pool } = item;
  return pool as unknown as Pool;
}

/** An update, not a put: what the pool remembers of applied changes stays. */
export const putPool =
  (table: Table): ClusterStore['putPool'] =>
  async (pool) => {
    const update = new Update();
    update.setAll({ kind: 'POOL', ...pool });
    await updateItem(table, poolKey(pool.cluster, pool.name), update, undefined);
  };

export const setDesiredHosts =
  (table: Table): ClusterStore['setDesiredHosts'] =>
  async (cluster, pool, change) => {
    const key = poolKey(cluster, pool);
    return untilStable(table.retry, `pool ${pool}`, async () => {
      const item = await getItem(table, key);
      if (item === undefined) return { outcome: 'refused', current: undefined };
      const current = poolFromItem(item);
      const changes = (item.changes as readonly string[] | undefined) ?? [];
      if (changes.includes(change.changeId)) return { outcome: 'applied', current };
      if (current.desiredHosts !== change.from) return { outcome: 'refused', current };
      const update = new Update();
      const [desired, remembered] = [update.path('desiredHosts'), update.path('changes')];
      const same =
        item.changes === undefined
          ? `attribute_not_exists(${remembered})`
          : update.equals(remembered, changes);
      update.set(desired, change.to);
      update.set(remembered, [...changes, change.changeId].slice(-REMEMBERED_CHANGES));
      const written = await updateItem(
        table,
        key,
        update,
        `${update.equals(desired, change.from)} AND ${same}`,
      );
      return written.held ? { outcome: 'applied', current: poolFromItem(written.item) } : undefined;
    });
  };
