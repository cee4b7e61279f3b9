import { holdKey, withHold } from '../domain/lifecycle/hold.ts';
import type { HostStore } from '../ports/store.ts';
import { toImage, Update } from './expression.ts';
import { hostFromItems, pack } from './hostItem.ts';
import { taskKey } from './keys.ts';
import { attemptIn } from './moveTask.ts';
import { keysOfHost, readHost } from './readHosts.ts';
import { untilStable } from './retry.ts';
import { type Table, transact } from './tableAccess.ts';

/** Rare, so that it is written whole: on the claims that were read, or not at all and once more. */
export const holdPlace =
  (table: Table): HostStore['holdPlace'] =>
  async (request) => {
    const { heir } = request;
    const keys = await keysOfHost(table, request.cluster, request.hostId);
    return untilStable(table.retry, `host ${request.hostId}`, async () => {
      const found = await readHost(table, keys);
      if (found === undefined) return { outcome: 'refused', current: undefined };
      const host = hostFromItems(found.hot, found.info);
      if (host.claims[holdKey(heir.taskId)]?.attempt === heir.attempt) {
        return { outcome: 'applied', current: host };
      }
      const after = withHold(host, request);
      if (after === undefined) return { outcome: 'refused', current: host };
      const update = new Update();
      const packed = Object.fromEntries(
        Object.entries(after.claims).map(([key, claim]) => [key, pack(claim)]),
      );
      update.setAll({ claims: packed, left: after.left });
      update.addToSet('ports', after.claims[holdKey(heir.taskId)]?.hostPorts ?? []);
      update.remove(update.path('idleSince'));
      const same = ['claims', 'left', 'state', 'epoch'].map((name) =>
        update.equals(update.path(name), found.hot[name]),
      );
      const pending = new Update();
      const isPending = attemptIn(pending, heir, ['PENDING']);
      const refusals = await transact(table, [
        {
          Update: {
            TableName: table.name,
            Key: toImage({ ...keys.hot }),
            UpdateExpression: update.text,
            ConditionExpression: same.join(' AND '),
            ...update.attributes,
          },
        },
        {
          ConditionCheck: {
            TableName: table.name,
            Key: toImage({ ...taskKey(heir.taskId) }),
            ConditionExpression: isPending,
            ...pending.attributes,
          },
        },
      ]);
      const { idleSince: _idleSince, ...current } = after;
      if (refusals === undefined) return { outcome: 'applied', current };
      return refusals[1] === undefined ? undefined : { outcome: 'refused', current: host };
    });
  };
