import type { HostStore } from '../ports/store.ts';
import { Update } from './expression.ts';
import { hostFromItems } from './hostItem.ts';
import { currentHost, keysOfHost } from './readHosts.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

/** TERMINATING starts a new epoch: whatever was decided on the host before it is void. */
export const setHostState =
  (table: Table): HostStore['setHostState'] =>
  async (cluster, hostId, change) => {
    const keys = await keysOfHost(table, cluster, hostId);
    // No state is in an empty list, and a condition cannot hold one.
    if (change.from.length === 0) return { outcome: 'refused', current: await currentHost(table, keys) };
    const update = new Update();
    const state = update.path('state');
    update.set(state, change.to);
    update.set(update.path('stateReason'), change.reason);
    if (change.atMs === undefined) update.remove(update.path('stateSince'));
    else update.set(update.path('stateSince'), change.atMs);
    if (change.to === 'TERMINATING') update.increment('epoch');
    const guards = [update.oneOf(state, change.from)];
    if (change.epoch !== undefined) guards.push(update.equals(update.path('epoch'), change.epoch));
    if (change.ifEmpty === true) guards.push(`size(${update.path('claims')}) = ${update.value(0)}`);

    const { held, item } = await updateItem(table, keys.hot, update, guards.join(' AND '));
    if (!held) return { outcome: 'refused', current: await currentHost(table, keys) };
    const info = (await getItem(table, keys.info)) ?? {};
    return { outcome: 'applied', current: hostFromItems(item, info) };
  };
