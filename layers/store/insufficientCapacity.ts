import type { InsufficientCapacity } from '../domain/model/pool.ts';
import type { ClusterStore } from '../ports/store.ts';
import { sortKeysFrom } from './clusters.ts';
import { type Item, Update } from './expression.ts';
import { insufficientCapacityKey } from './keys.ts';
import { queryAll, type Table, updateItem } from './tableAccess.ts';

/** The latest word on a (type, zone, lifecycle) counts; DynamoDB's TTL clears it away some time after it ran out. */
export const rememberInsufficientCapacity =
  (table: Table): ClusterStore['rememberInsufficientCapacity'] =>
  async (cluster, what) => {
    for (const shortage of what) {
      const { instanceType, zone, lifecycle, until } = shortage;
      const update = new Update();
      update.setAll({ kind: 'ICE', ...shortage, expiresAt: Math.ceil(until / 1000) });
      const key = insufficientCapacityKey(cluster, instanceType, zone, lifecycle);
      await updateItem(table, key, update, undefined);
    }
  };

export const listInsufficientCapacity =
  (table: Table): ClusterStore['listInsufficientCapacity'] =>
  async (cluster, nowMs) => {
    const items = await queryAll(table, sortKeysFrom(cluster, 'ICE#'));
    return items.map(shortageFromItem).filter(({ until }) => until > nowMs);
  };

function shortageFromItem(item: Item): InsufficientCapacity {
  const { pk: _pk, sk: _sk, kind: _kind, expiresAt: _expiresAt, ...shortage } = item;
  return shortage as unknown as InsufficientCapacity;
}
