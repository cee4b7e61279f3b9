import type { Task } from '../domain/model/task.ts';
import type { TaskStore } from '../ports/store.ts';
import { taskKey } from './keys.ts';
import { getItem, getItems, type Table } from './tableAccess.ts';
import { taskFromItem } from './taskItem.ts';

export const getTask =
  (table: Table): TaskStore['getTask'] =>
  async (taskId) => {
    const item = await getItem(table, taskKey(taskId));
    return item && taskFromItem(item);
  };

/** In the order asked for, each once. */
export const getTasks =
  (table: Table): TaskStore['getTasks'] =>
  async (taskIds) => {
    const ids = [...new Set(taskIds)];
    const items = await getItems(table, ids.map(taskKey));
    const byId = new Map(items.map((item) => [item.taskId, taskFromItem(item)]));
    return ids.map((id) => byId.get(id)).filter((task): task is Task => task !== undefined);
  };
