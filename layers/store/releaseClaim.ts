import { holdKey, inheritance } from '../domain/lifecycle/hold.ts';
import { withFailure } from '../domain/lifecycle/launchFailures.ts';
import type { Host } from '../domain/model/host.ts';
import { amountOf, plus } from '../domain/model/resources.ts';
import type { HostStore } from '../ports/store.ts';
import { Update } from './expression.ts';
import { claimsOf, pack } from './hostItem.ts';
import { keysOfHost } from './readHosts.ts';
import { untilStable } from './retry.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

/**
 * The claim says what it holds, so reading it first is safe; the write is conditional on its presence and on its heir,
 * which makes a release happen once. Whether it is the host's last claim decides about `idleSince` and is part of the
 * condition too.
 */
export const releaseClaim =
  (table: Table): HostStore['releaseClaim'] =>
  async (cluster, hostId, ref, nowMs, failedToStart = false) => {
    const { hot: key } = await keysOfHost(table, cluster, hostId);
    return untilStable(table.retry, `host ${hostId}`, async () => {
      const hot = await getItem(table, key);
      const claims = hot === undefined ? {} : claimsOf(hot);
      const claim = claims[ref.taskId];
      if (claim === undefined || claim.attempt !== ref.attempt) return { outcome: 'absent' };

      const update = new Update();
      const legacy = inheritance({ state: hot?.state as Host['state'], claims }, claim);
      const held = legacy === undefined ? undefined : claims[legacy.key];
      for (const dimension of Object.keys(claim.demand)) {
        const amount = amountOf(claim.demand, dimension) - amountOf(legacy?.demand ?? {}, dimension);
        if (amount <= 0) continue;
        const path = update.path('left', dimension);
        update.assign(path, `if_not_exists(${path}, ${update.value(0)}) + ${update.value(amount)}`);
      }
      update.remove(update.path('claims', ref.taskId));
      update.deleteFromSet(
        'ports',
        claim.hostPorts.filter((port) => !legacy?.ports.includes(port)),
      );
      const guards = [update.equals(update.path('claims', ref.taskId, 'a'), ref.attempt)];
      if (legacy !== undefined && held !== undefined) {
        const hold = update.path('claims', legacy.key);
        const grown = {
          ...held,
          demand: plus(held.demand, legacy.demand),
          hostPorts: [...held.hostPorts, ...legacy.ports],
        };
        update.set(hold, pack(grown));
        guards.push(update.equals(hold, pack(held)), update.equals(update.path('state'), 'READY'));
      } else if (claim.heir !== undefined) {
        const gone = `attribute_not_exists(${update.path('claims', holdKey(claim.heir))})`;
        guards.push(`${gone} OR ${update.path('state')} <> ${update.value('READY')}`);
      }
      // Whom its room goes to may have been decided since the claim was read.
      if (claim.heir === undefined) {
        guards.push(`attribute_not_exists(${update.path('claims', ref.taskId, 'e')})`);
      }
      const last = Object.keys(claims).length === 1;
      if (last) update.set(update.path('idleSince'), nowMs);
      if (failedToStart) {
        const before = hot?.launchFailures as Host['launchFailures'];
        update.set(update.path('launchFailures'), withFailure(before, nowMs));
      }
      const count = `size(${update.path('claims')}) ${last ? '=' : '>'} ${update.value(1)}`;
      const written = await updateItem(
        table,
        key,
        update,
        [...guards, count].map((guard) => `(${guard})`).join(' AND '),
      );
      return written.held ? { outcome: 'released' } : undefined;
    });
  };
