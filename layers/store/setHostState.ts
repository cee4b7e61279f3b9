import type { HostStore } from '../ports/store.ts';
import { Update } from './expression.ts';
import { announcedOf, hostFromItems } from './hostItem.ts';
import { currentHost, keysOfHost } from './readHosts.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

/**
 * TERMINATING starts a new epoch: whatever was decided on the host before it is void. It also brings along what is said of
 * the host when it is announced: the record beside it, which knows, may be gone by then. No claim is written any more, so
 * that its size costs nothing.
 */
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
    const leaving = change.to === 'TERMINATING' ? await getItem(table, keys.info) : undefined;
    if (change.to === 'TERMINATING') update.increment('epoch');
    if (leaving !== undefined) update.set(update.path('leaving'), announcedOf(leaving));
    const guards = [update.oneOf(state, change.from)];
    if (change.epoch !== undefined) guards.push(update.equals(update.path('epoch'), change.epoch));
    if (change.registeredAt !== undefined)
      guards.push(update.equals(update.path('registeredAt'), change.registeredAt));
    if (change.ifEmpty === true) guards.push(`size(${update.path('claims')}) = ${update.value(0)}`);

    const { held, item } = await updateItem(table, keys.hot, update, guards.join(' AND '));
    if (!held) return { outcome: 'refused', current: await currentHost(table, keys) };
    const info = leaving ?? (await getItem(table, keys.info)) ?? {};
    return { outcome: 'applied', current: hostFromItems(item, info) };
  };
