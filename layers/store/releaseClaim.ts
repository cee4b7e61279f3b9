import { amountOf } from '../domain/model/resources.ts';
import type { HostStore } from '../ports/store.ts';
import { Update } from './expression.ts';
import { claimsOf } from './hostItem.ts';
import { keysOfHost } from './readHosts.ts';
import { untilStable } from './retry.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

/**
 * The claim says what it holds and never changes, so reading it first is safe; the write is conditional on its presence,
 * which makes a release happen once. Whether it is the host's last claim decides about `idleSince` and is part of the
 * condition too.
 */
export const releaseClaim =
  (table: Table): HostStore['releaseClaim'] =>
  async (cluster, hostId, ref, nowMs) => {
    const { hot: key } = await keysOfHost(table, cluster, hostId);
    return untilStable(table.retry, `host ${hostId}`, async () => {
      const hot = await getItem(table, key);
      const claims = hot === undefined ? {} : claimsOf(hot);
      const claim = claims[ref.taskId];
      if (claim === undefined || claim.attempt !== ref.attempt) return { outcome: 'absent' };

      const update = new Update();
      for (const dimension of Object.keys(claim.demand)) {
        const amount = amountOf(claim.demand, dimension);
        if (amount <= 0) continue;
        const left = update.path('left', dimension);
        update.assign(left, `if_not_exists(${left}, ${update.value(0)}) + ${update.value(amount)}`);
      }
      update.remove(update.path('claims', ref.taskId));
      update.deleteFromSet('ports', claim.hostPorts);
      const last = Object.keys(claims).length === 1;
      if (last) update.set(update.path('idleSince'), nowMs);
      const held = update.equals(update.path('claims', ref.taskId, 'a'), ref.attempt);
      const count = `size(${update.path('claims')}) ${last ? '=' : '>'} ${update.value(1)}`;
      const written = await updateItem(table, key, update, `${held} AND ${count}`);
      return written.held ? { outcome: 'released' } : undefined;
    });
  };
