import type { TaskStore } from '../ports/store.ts';
import { Expression } from './expression.ts';
import { dependentKey, dependentPrefix, taskKey } from './keys.ts';
import { joinQueue, moveTask } from './moveTask.ts';
import { putItem, queryAll, type Table } from './tableAccess.ts';

/**
 * The edge first, then the mark on the task: whoever ends it afterwards finds the mark in the answer to that very write,
 * and tasks that nobody waits for cost no look.
 */
export const addDependent =
  (table: Table): TaskStore['addDependent'] =>
  async (dependencyId, dependent) => {
    const { taskId, expiresAt } = dependent;
    const item = { ...dependentKey(dependencyId, taskId), kind: 'DEPENDENT', dependent: taskId, expiresAt };
    const guard = new Expression();
    await putItem(table, item, guard, `attribute_not_exists(${guard.path('pk')})`);
    const marked = await moveTask(table, dependencyId, (update) => {
      const mark = update.path('hasDependents');
      update.set(mark, true);
      return `attribute_exists(${update.path('pk')}) AND attribute_not_exists(${mark})`;
    });
    return marked.current;
  };

/** Strongly consistent. */
export const listDependents =
  (table: Table): TaskStore['listDependents'] =>
  async (taskId) => {
    const expression = new Expression();
    const pk = expression.equals(expression.path('pk'), taskKey(taskId).pk);
    const sk = `begins_with(${expression.path('sk')}, ${expression.value(dependentPrefix)})`;
    const items = await queryAll(table, {
      KeyConditionExpression: `${pk} AND ${sk}`,
      ConsistentRead: true,
      ...expression.attributes,
    });
    return items.map((item) => String(item.dependent));
  };

export const unblockedReason = { code: 'ACCEPTED', detail: 'what it waited for has ended' } as const;

export const unblockTask =
  (table: Table): TaskStore['unblockTask'] =>
  (taskId) =>
    moveTask(table, taskId, (update) => {
      update.setAll({ state: 'PENDING', reason: unblockedReason });
      joinQueue(update);
      return update.equals(update.path('state'), 'BLOCKED');
    });
