import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { CapacityOrder } from '../domain/model/pool.ts';
import type { ClusterStore } from '../ports/store.ts';
import { sortKeysFrom } from './clusters.ts';
import { Expression, type Item, Update } from './expression.ts';
import { orderKey } from './keys.ts';
import { putItem, queryAll, type Table, updateItem } from './tableAccess.ts';

export const orderItem = (order: CapacityOrder): Item => ({
  ...orderKey(order.cluster, order.pool),
  kind: 'ORDER',
  ...order,
});

export const orderFromItem = (item: Item): CapacityOrder => {
  const { pk: _pk, sk: _sk, kind: _kind, ...order } = item;
  return order as unknown as CapacityOrder;
};

/** The order in a stream record's image; undefined for another kind of record. */
export const orderFromImage = (
  image: Record<string, AttributeValue> | undefined,
): CapacityOrder | undefined => (image?.kind?.S === 'ORDER' ? orderFromItem(unmarshall(image)) : undefined);

/** Replaces the pool's last order, which has to be closed and the one that the caller planned after. */
export const openOrder =
  (table: Table): ClusterStore['openOrder'] =>
  async (order, afterOrderId) => {
    const guard = new Expression();
    const closedOne = (orderId: string): string => {
      const closed = `${guard.path('state')} <> ${guard.value('OPEN')}`;
      return `${guard.equals(guard.path('orderId'), orderId)} AND ${closed}`;
    };
    const put = await putItem(
      table,
      orderItem(order),
      guard,
      afterOrderId === undefined ? `attribute_not_exists(${guard.path('pk')})` : closedOne(afterOrderId),
    );
    if (put.held) return { outcome: 'applied', current: order };
    return { outcome: 'refused', current: put.item && orderFromItem(put.item) };
  };

export const closeOrder =
  (table: Table): ClusterStore['closeOrder'] =>
  async (cluster, pool, orderId, end) => {
    const update = new Update();
    const open = update.equals(update.path('state'), 'OPEN');
    const same = update.equals(update.path('orderId'), orderId);
    update.setAll({ ...end });
    const { held, item } = await updateItem(table, orderKey(cluster, pool), update, `${open} AND ${same}`);
    if (held) return { outcome: 'applied', current: orderFromItem(item) };
    return { outcome: 'refused', current: item && orderFromItem(item) };
  };

export const listLastOrders =
  (table: Table): ClusterStore['listLastOrders'] =>
  async (cluster) => {
    const items = await queryAll(table, { ...sortKeysFrom(cluster, 'ORDER#'), ConsistentRead: true });
    return items.map(orderFromItem);
  };

export const listOpenOrders =
  (table: Table): ClusterStore['listOpenOrders'] =>
  async (cluster) =>
    (await listLastOrders(table)(cluster)).filter(({ state }) => state === 'OPEN');
