import type { TaskEntry } from './taskTable.ts';

/** Berth's id of the task, or ECS's for a task that others launched. */
export const reportKey = (entry: Pick<TaskEntry, 'containers' | 'taskArn'>): string => {
  const known = [...entry.containers.values()].find(({ taskId }) => taskId !== undefined)?.taskId;
  return known ?? entry.taskArn.split('/').at(-1) ?? entry.taskArn;
};
