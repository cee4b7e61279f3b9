import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Pool } from '../domain/model/pool.ts';
import type { ClusterStore } from '../ports/store.ts';
import { type Item, Update } from './expression.ts';
import { poolKey } from './keys.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

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

/** Settings that a pool may be without. */
const optionalSettings = [
  'architecture',
  'minimums',
  'hostUsdPerHour',
  'leastHosts',
  'cpuOvercommit',
  'spotInterruptionsPerHour',
  'disruption',
] as const;

/** An update, not a put: what the pool remembers of alarms, gaps and disruptions stays. */
export const putPool =
  (table: Table): ClusterStore['putPool'] =>
  async ({ alarms: _alarms, idleGapsMs: _gaps, disruptedAt: _disrupted, ...settings }) => {
    const update = new Update();
    update.setAll({ kind: 'POOL', ...settings });
    const absent = optionalSettings.filter((name) => settings[name] === undefined);
    update.remove(...absent.map((name) => update.path(name)));
    await updateItem(table, poolKey(settings.cluster, settings.name), update, undefined);
  };

export const changePool =
  (table: Table): ClusterStore['changePool'] =>
  async (cluster, pool, changes) => {
    const update = new Update();
    update.setAll({ ...changes });
    const known = `attribute_exists(${update.path('pk')})`;
    const { held, item } = await updateItem(table, poolKey(cluster, pool), update, known);
    return held
      ? { outcome: 'applied', current: poolFromItem(item) }
      : { outcome: 'refused', current: undefined };
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

export const recordDisruptions =
  (table: Table): ClusterStore['recordDisruptions'] =>
  async (cluster, pool, { from, to }) => {
    const update = new Update();
    const log = update.path('disruptedAt');
    const same = from.length === 0 ? `attribute_not_exists(${log})` : update.equals(log, from);
    update.set(log, to);
    const known = `attribute_exists(${update.path('pk')})`;
    const { held, item } = await updateItem(table, poolKey(cluster, pool), update, `${known} AND ${same}`);
    if (held) return { outcome: 'applied', current: poolFromItem(item) };
    return { outcome: 'refused', current: item && poolFromItem(item) };
  };

/** More would describe a past that has passed. */
export const REMEMBERED_GAPS = 64;

/** Read and written on what was read: which of two that meet is kept decides nothing. */
export const recordIdleGaps =
  (table: Table): ClusterStore['recordIdleGaps'] =>
  async (cluster, pool, gapsMs) => {
    const key = poolKey(cluster, pool);
    const item = await getItem(table, key);
    if (item === undefined || gapsMs.length === 0) return;
    const update = new Update();
    const { idleGapsMs = [] } = poolFromItem(item);
    update.set(update.path('idleGapsMs'), [...idleGapsMs, ...gapsMs].slice(-REMEMBERED_GAPS));
    await updateItem(table, key, update, `attribute_exists(${update.path('pk')})`);
  };
