import type { Task } from '../domain/model/task.ts';
import type { TaskStore } from '../ports/store.ts';
import { Expression } from './expression.ts';
import { putItem, type Table } from './tableAccess.ts';
import { taskFromItem, taskItem } from './taskItem.ts';

export const acceptTask =
  (table: Table): TaskStore['acceptTask'] =>
  async (task: Task) => {
    const guard = new Expression();
    const cells = await table.cellsOf(task.cluster);
    const put = await putItem(
      table,
      taskItem(task, cells),
      guard,
      `attribute_not_exists(${guard.path('pk')})`,
    );
    if (put.held || put.item === undefined) return { outcome: 'accepted', task };
    return { outcome: 'duplicate', task: taskFromItem(put.item) };
  };
