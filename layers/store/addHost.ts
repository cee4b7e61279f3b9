import type { HostStore } from '../ports/store.ts';
import { Expression, toImage } from './expression.ts';
import { hostFromItems, hostItems } from './hostItem.ts';
import { currentHost, keysOfHost } from './readHosts.ts';
import { type Table, transact } from './tableAccess.ts';

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
    ]);
    const current = await currentHost(table, keys);
    if (refusals !== undefined) return { outcome: 'refused', current };
    return { outcome: 'applied', current: current ?? hostFromItems(hot, info) };
  };
