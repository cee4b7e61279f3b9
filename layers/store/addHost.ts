import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { HostStore } from '../ports/store.ts';
import { Expression, toImage } from './expression.ts';
import { hostFromItems, hostItems } from './hostItem.ts';
import { orderKey } from './keys.ts';
import { currentHost, keysOfHost } from './readHosts.ts';
import { type Table, transact } from './tableAccess.ts';

function orderIsOpen(table: Table, cluster: string, pool: string, orderId: string): TransactWriteItem {
  const open = new Expression();
  const conditions = [open.equals(open.path('orderId'), orderId), open.equals(open.path('state'), 'OPEN')];
  return {
    ConditionCheck: {
      TableName: table.name,
      Key: toImage({ ...orderKey(cluster, pool) }),
      ConditionExpression: conditions.join(' AND '),
      ...open.attributes,
    },
  };
}

export const addHost =
  (table: Table): HostStore['addHost'] =>
  async (host) => {
    const keys = await keysOfHost(table, host.cluster, host.hostId);
    const { hot, info } = hostItems(host, keys.cell);
    const guard = new Expression();
    const refusals = await transact(table, [
      {
        Put: {
          TableName: table.name,
          Item: toImage(hot),
          ConditionExpression: `attribute_not_exists(${guard.path('pk')})`,
          ...guard.attributes,
        },
      },
      { Put: { TableName: table.name, Item: toImage(info) } },
      ...(host.orderId === undefined ? [] : [orderIsOpen(table, host.cluster, host.pool, host.orderId)]),
    ]);
    const current = await currentHost(table, keys);
    if (refusals !== undefined) return { outcome: 'refused', current };
    return { outcome: 'applied', current: current ?? hostFromItems(hot, info) };
  };
