import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Pool } from '../domain/model/pool.ts';
import type { ClusterStore } from '../ports/store.ts';
import { type Item, Update } from './expression.ts';
import { poolKey } from './keys.ts';
import { type Table, updateItem } from './tableAccess.ts';

export const poolItem = (pool: Pool): Item => ({
  ...poolKey(pool.cluster, pool.name),
  kind: 'POOL',
  ...pool,
});

export function poolFromItem(item: Item): Pool {
  const { pk: _pk, sk: _sk, kind: _kind, ...pool } = item;
  return pool as unknown as Pool;
}

/** The pool of a stream's image; undefined for another kind of record. */
export const poolFromImage = (image: Record<string, AttributeValue> | undefined): Pool | undefined =>
  image?.kind?.S === 'POOL' ? poolFromItem(unmarshall(image)) : undefined;

/** An update, not a put: what alarms have said of the pool stays. */
export const putPool =
  (table: Table): ClusterStore['putPool'] =>
  async ({ alarms: _alarms, ...pool }) => {
    const update = new Update();
    update.setAll({ kind: 'POOL', ...pool });
    await updateItem(table, poolKey(pool.cluster, pool.name), update, undefined);
  };

export const setAlarmTarget =
  (table: Table): ClusterStore['setAlarmTarget'] =>
  async (cluster, pool, { from, to }) => {
    const update = new Update();
    const [desired, alarms] = [update.path('desiredHosts'), update.path('alarms')];
    update.set(desired, to.desiredHosts);
    if (to.alarms === undefined) update.remove(alarms);
    else update.set(alarms, to.alarms);
    const same =
      from.alarms === undefined ? `attribute_not_exists(${alarms})` : update.equals(alarms, from.alarms);
    const guard = `${update.equals(desired, from.desiredHosts)} AND ${same}`;
    const written = await updateItem(table, poolKey(cluster, pool), update, guard);
    if (written.held) return { outcome: 'applied', current: poolFromItem(written.item) };
    return { outcome: 'refused', current: written.item && poolFromItem(written.item) };
  };
