import { hasLostTrack } from '../domain/lifecycle/ecsHost.ts';
import { minus, type Resources } from '../domain/model/resources.ts';
import type { HostStore } from '../ports/store.ts';
import { type Item, toImage, Update } from './expression.ts';
import { claimsOf, hostFromItems } from './hostItem.ts';
import { keysOfHost, readHost } from './readHosts.ts';
import { untilStable } from './retry.ts';
import { type Table, transact } from './tableAccess.ts';

type Seen = Parameters<HostStore['registerHost']>[2];

/**
 * `left` is computed from the claims that were read, so the write is conditional on them: whoever claims or releases
 * meanwhile makes it start over. A later registration counts as newer whatever its version, since ECS counts versions
 * anew for each container instance.
 */
export const registerHost =
  (table: Table): HostStore['registerHost'] =>
  async (cluster, hostId, seen) => {
    const keys = await keysOfHost(table, cluster, hostId);
    return untilStable(table.retry, `host ${hostId}`, async () => {
      const found = await readHost(table, keys);
      const host = found && hostFromItems(found.hot, found.info);
      if (found === undefined || host === undefined || !isNews(host, seen) || hasLostTrack(host, seen)) {
        return { outcome: 'refused', current: host };
      }
      const left = Object.values(host.claims).reduce(
        (rest, claim) => minus(rest, claim.demand),
        seen.capacity,
      );
      const registered = { ...found.hot, ...hotChange(found.hot, seen, left) };
      const { containerInstanceArn, attributes } = seen;
      const refusals = await transact(table, [
        {
          Update: {
            ...updateHot(registered, found.hot),
            TableName: table.name,
            Key: toImage({ ...keys.hot }),
          },
        },
        {
          Update: {
            ...updateInfo({ containerInstanceArn, attributes }),
            TableName: table.name,
            Key: toImage({ ...keys.info }),
          },
        },
      ]);
      if (refusals !== undefined) return undefined;
      const info = { ...found.info, containerInstanceArn, attributes };
      return { outcome: 'applied', current: hostFromItems(registered, info) };
    });
  };

interface Known {
  readonly state: string;
  readonly ecsVersion?: number;
  readonly registeredAt?: number;
}

export const isNews = (host: Known, seen: Pick<Seen, 'ecsVersion' | 'registeredAt'>): boolean =>
  host.state !== 'TERMINATING' &&
  (host.ecsVersion === undefined ||
    host.ecsVersion < seen.ecsVersion ||
    (host.registeredAt !== undefined && host.registeredAt < seen.registeredAt));

function hotChange(hot: Item, seen: Seen, left: Resources): Item {
  const { capacity, ecsVersion, registeredAt } = seen;
  const change = { capacity, left, ecsVersion, registeredAt };
  if (hot.state !== 'BOOTING') return change;
  const idle = Object.keys(claimsOf(hot)).length === 0 && hot.idleSince === undefined;
  return {
    ...change,
    state: 'READY',
    stateReason: 'registered in ECS',
    ...(idle && { idleSince: registeredAt }),
  };
}

function updateHot(registered: Item, seen: Item) {
  const update = new Update();
  const { capacity, left, ecsVersion, registeredAt, state, stateReason, idleSince } = registered;
  update.setAll({ capacity, left, ecsVersion, registeredAt, state, stateReason, idleSince });
  const same = ['state', 'claims', 'ecsVersion', 'registeredAt', 'idleSince'].map((name) =>
    seen[name] === undefined
      ? `attribute_not_exists(${update.path(name)})`
      : update.equals(update.path(name), seen[name]),
  );
  return { UpdateExpression: update.text, ConditionExpression: same.join(' AND '), ...update.attributes };
}

function updateInfo(facts: Item) {
  const update = new Update();
  update.setAll(facts);
  return {
    UpdateExpression: update.text,
    ConditionExpression: `attribute_exists(${update.path('pk')})`,
    ...update.attributes,
  };
}
