import type { TaskStore } from '../ports/store.ts';
import { Expression, type Item } from './expression.ts';
import { blockedPartition, queuePartition } from './keys.ts';
import { pendingIndex } from './table.ts';
import { queryHead, type Table } from './tableAccess.ts';
import { taskFromItem } from './taskItem.ts';

/**
 * A cluster's queue is spread over as many index partitions as it has cells, since one takes 1,000 writes a second and
 * every task that waits makes two. Each is read up to the limit and the heads are merged.
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

function headOf(table: Table, partition: string, count: number): Promise<Item[]> {
  const expression = new Expression();
  const query = {
    IndexName: pendingIndex,
    KeyConditionExpression: expression.equals(expression.path('gsiPk'), partition),
    ...expression.attributes,
  };
  return queryHead(table, query, count);
}

const inQueueOrder = (a: Item, b: Item): number => (String(a.gsiSk) < String(b.gsiSk) ? -1 : 1);
