import type { Host } from '../domain/model/host.ts';
import type { HostStore } from '../ports/store.ts';
import { Expression, type Item } from './expression.ts';
import { hostFromItems } from './hostItem.ts';
import { cellOf, cellPartition, hostInfoKey, hostKey, type Key } from './keys.ts';
import { queryAll, type Table } from './tableAccess.ts';

export interface HostKeys {
  readonly cell: number;
  readonly hot: Key;
  readonly info: Key;
}

export async function keysOfHost(table: Table, cluster: string, hostId: string): Promise<HostKeys> {
  const cell = cellOf(hostId, await table.cellsOf(cluster));
  return { cell, hot: hostKey(cluster, cell, hostId), info: hostInfoKey(cluster, cell, hostId) };
}

export interface HostItems {
  readonly hot: Item;
  readonly info: Item;
}

/** Both items of a host in one strongly consistent query: they are neighbours. */
export async function readHost(table: Table, keys: HostKeys): Promise<HostItems | undefined> {
  const expression = new Expression();
  const pk = expression.equals(expression.path('pk'), keys.hot.pk);
  const sk = `${expression.path('sk')} BETWEEN ${expression.value(keys.hot.sk)} AND ${expression.value(keys.info.sk)}`;
  const items = await queryAll(table, {
    KeyConditionExpression: `${pk} AND ${sk}`,
    ConsistentRead: true,
    ...expression.attributes,
  });
  const hot = items.find((item) => item.sk === keys.hot.sk);
  const info = items.find((item) => item.sk === keys.info.sk);
  return hot && info && { hot, info };
}

export async function currentHost(table: Table, keys: HostKeys): Promise<Host | undefined> {
  const items = await readHost(table, keys);
  return items && hostFromItems(items.hot, items.info);
}

export const getHost =
  (table: Table): HostStore['getHost'] =>
  async (cluster, hostId) =>
    currentHost(table, await keysOfHost(table, cluster, hostId));

export const listHosts =
  (table: Table, withReports: (hosts: readonly Host[]) => Promise<Host[]>): HostStore['listHosts'] =>
  async (cluster, hostIds) => {
    const hosts = await (hostIds === undefined
      ? allHosts(table, cluster)
      : someHosts(table, cluster, hostIds));
    return withReports(hosts.sort((a, b) => (a.hostId < b.hostId ? -1 : 1)));
  };

async function allHosts(table: Table, cluster: string): Promise<Host[]> {
  const cells = await table.cellsOf(cluster);
  const read = Array.from({ length: cells }, (_, cell) => hostsOfCell(table, cellPartition(cluster, cell)));
  return (await Promise.all(read)).flat();
}

/** One query a host reads half of what its two items would cost one by one. */
async function someHosts(table: Table, cluster: string, hostIds: readonly string[]): Promise<Host[]> {
  const read = await Promise.all([...new Set(hostIds)].map((hostId) => getHost(table)(cluster, hostId)));
  return read.filter((host) => host !== undefined);
}

async function hostsOfCell(table: Table, partition: string): Promise<Host[]> {
  const expression = new Expression();
  const items = await queryAll(table, {
    KeyConditionExpression: expression.equals(expression.path('pk'), partition),
    ConsistentRead: true,
    ...expression.attributes,
  });
  const bySortKey = new Map(items.map((item) => [item.sk, item]));
  return items.flatMap((hot) => {
    // A page boundary may fall between the two items of a host that is being added or removed: it is not there yet, or no more.
    const info = hot.kind === 'HOST' ? bySortKey.get(`${String(hot.sk)}#INFO`) : undefined;
    return info === undefined ? [] : [hostFromItems(hot, info)];
  });
}
