import type { TaskStore } from '../ports/store.ts';
import { Expression, type Item } from './expression.ts';
import { blockedPartition, queuePartition } from './keys.ts';
import { pendingIndex } from './table.ts';
import { queryPages, type Table } from './tableAccess.ts';
import { taskFromItem } from './taskItem.ts';

/**
 * A cluster's queue is spread over as many index partitions as it has cells, since one takes 1,000 writes a second and
 * every task makes two. Each is read up to the limit and the heads are merged.
 */
export const listPending = (table: Table): TaskStore['listPending'] => listShards(table, queuePartition);

export const listBlocked = (table: Table): TaskStore['listBlocked'] => listShards(table, blockedPartition);

const listShards =
  (table: Table, partitionOf: typeof queuePartition): TaskStore['listPending'] =>
  async (cluster, limit) => {
    const cells = await table.cellsOf(cluster);
    const shards = Array.from({ length: cells }, (_, shard) =>
      headOf(table, partitionOf(cluster, shard), limit + 1),
    );
    const found = (await Promise.all(shards)).flat().sort(inQueueOrder);
    return { tasks: found.slice(0, limit).map(taskFromItem), more: found.length > limit };
  };

async function headOf(table: Table, partition: string, count: number): Promise<Item[]> {
  const expression = new Expression();
  const condition = expression.equals(expression.path('gsiPk'), partition);
  const items: Item[] = [];
  const pages = queryPages(table, {
    IndexName: pendingIndex,
    KeyConditionExpression: condition,
    Limit: count,
    ...expression.attributes,
  });
  for await (const page of pages) {
    items.push(...page);
    if (items.length >= count) break;
  }
  return items.slice(0, count);
}

const inQueueOrder = (a: Item, b: Item): number => (String(a.gsiSk) < String(b.gsiSk) ? -1 : 1);
