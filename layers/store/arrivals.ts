import type { Arrival } from '../domain/model/arrival.ts';
import type { ArrivalStore } from '../ports/store.ts';
import { Expression, type Item, Update } from './expression.ts';
import { arrivalKey, arrivalPartition, arrivalsFrom, clusterKey } from './keys.ts';
import { putItem, queryHead, type Table, updateItem } from './tableAccess.ts';

/** One unit for about 35 tasks, and none for its removal, which is the table's TTL's. */
export const noteArrivals =
  (table: Table): ArrivalStore['noteArrivals'] =>
  async (arrival) => {
    const key = arrivalKey(arrival, await table.cellsOf(arrival.cluster));
    const guard = new Expression();
    const item = { ...key, kind: 'ARRIVAL', ...arrival };
    await putItem(table, item, guard, `attribute_not_exists(${guard.path('pk')})`);
  };

/** Time passes over one place of each partition only: there are as many as the queue has, for the same reason. */
export const listArrivals =
  (table: Table): ArrivalStore['listArrivals'] =>
  async (cluster, time, limit) => {
    // Of clocks that differ by seconds, the later reader's may be the earlier one: DynamoDB refuses such a range.
    if (time.untilMs <= time.afterMs) return { arrivals: [], more: false };
    const cells = await table.cellsOf(cluster);
    const shards = Array.from({ length: cells }, (_, shard) =>
      shardOf(table, arrivalPartition(cluster, shard), time, limit + 1),
    );
    const found = (await Promise.all(shards)).flat().sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1));
    return { arrivals: found.slice(0, limit).map(arrivalFromItem), more: found.length > limit };
  };

function shardOf(
  table: Table,
  partition: string,
  { afterMs, untilMs }: Parameters<ArrivalStore['listArrivals']>[1],
  count: number,
): Promise<Item[]> {
  const expression = new Expression();
  const pk = expression.equals(expression.path('pk'), partition);
  const [from, to] = [afterMs, untilMs].map((ms) => expression.value(arrivalsFrom(ms + 1)));
  const query = {
    KeyConditionExpression: `${pk} AND ${expression.path('sk')} BETWEEN ${from} AND ${to}`,
    ConsistentRead: true,
    ...expression.attributes,
  };
  return queryHead(table, query, count);
}

function arrivalFromItem(item: Item): Arrival {
  const { pk: _pk, sk: _sk, kind: _kind, ...arrival } = item;
  return arrival as unknown as Arrival;
}

export const recordArrivalsSeen =
  (table: Table): ArrivalStore['recordArrivalsSeen'] =>
  async (cluster, untilMs) => {
    const update = new Update();
    const seen = update.path('arrivalsSeenAt');
    update.set(seen, untilMs);
    const earlier = `(attribute_not_exists(${seen}) OR ${seen} < ${update.value(untilMs)})`;
    const known = `attribute_exists(${update.path('pk')})`;
    const { held } = await updateItem(table, clusterKey(cluster), update, `${known} AND ${earlier}`);
    return { outcome: held ? 'applied' : 'refused' };
  };
