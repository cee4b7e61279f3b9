import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Task } from '../domain/model/task.ts';
import type { Item } from './expression.ts';
import { blockedPartition, cellOf, queueOrder, queuePartition, taskKey } from './keys.ts';

/**
 * A task's item is the task itself, attribute by attribute, and:
 * - `gsiSk`, its place in the queue, for its whole life; `queue`, the partition of the queue it belongs to
 * - `gsiPk`, a copy of `queue` while it is in the queue: without it the index does not hold the item. A pending task without
 *   it is `arriving`, which is what the attribute's absence says; nothing else does
 *   A blocked one is in the same index under a name of its own, where only `reconcile` looks.
 * `queue` is kept so that a requeue can copy it without having read the task.
 */
export function taskItem({ arriving, ...task }: Task, cells: number): Item {
  const shard = cellOf(task.taskId, cells);
  const queue = queuePartition(task.cluster, shard);
  return {
    ...taskKey(task.taskId),
    kind: 'TASK',
    gsiSk: queueOrder(task),
    queue,
    ...(task.state === 'PENDING' && arriving === undefined && { gsiPk: queue }),
    ...(task.state === 'BLOCKED' && { gsiPk: blockedPartition(task.cluster, shard) }),
    ...task,
  };
}

export function taskFromItem(item: Item): Task {
  const { pk: _pk, sk: _sk, kind: _kind, gsiPk, gsiSk: _gsiSk, queue: _queue, ...task } = item;
  const arriving = task.state === 'PENDING' && gsiPk === undefined;
  return { ...task, ...(arriving && { arriving }) } as unknown as Task;
}

/** The task in a stream record's image, or `undefined` when the image is of another kind. */
export function taskFromImage(image: Record<string, AttributeValue> | undefined): Task | undefined {
  if (image?.kind?.S !== 'TASK') return undefined;
  return taskFromItem(unmarshall(image));
}
