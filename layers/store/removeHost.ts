import type { HostStore } from '../ports/store.ts';
import { Expression, toImage } from './expression.ts';
import { claimsOf, hostFromItems } from './hostItem.ts';
import { keysOfHost, readHost } from './readHosts.ts';
import { untilStable } from './retry.ts';
import { type Table, transact } from './tableAccess.ts';

/** A transaction cannot return what it deletes, so it deletes exactly the claims that were read, or starts over. */
export const removeHost =
  (table: Table): HostStore['removeHost'] =>
  async (cluster, hostId, options) => {
    const keys = await keysOfHost(table, cluster, hostId);
    return untilStable(table.retry, `host ${hostId}`, async () => {
      const found = await readHost(table, keys);
      if (found === undefined) return { outcome: 'refused', current: undefined };
      const current = hostFromItems(found.hot, found.info);
      if (options.ifEmpty && Object.keys(claimsOf(found.hot)).length > 0)
        return { outcome: 'refused', current };
      const guard = new Expression();
      const same = ['claims', 'state', 'epoch'].map((name) =>
        guard.equals(guard.path(name), found.hot[name]),
      );
      const refusals = await transact(table, [
        {
          Delete: {
            TableName: table.name,
            Key: toImage({ ...keys.hot }),
            ConditionExpression: same.join(' AND '),
            ...guard.attributes,
          },
        },
        { Delete: { TableName: table.name, Key: toImage({ ...keys.info }) } },
      ]);
      return refusals === undefined ? { outcome: 'applied', current } : undefined;
    });
  };
