import type { Task } from '../../layers/domain/model/task.ts';
import type { MemoryTables } from './memoryTables.ts';

/** What is wrong when a task gets its place although its concurrency key has none left; counted on the tasks themselves. */
export function crowdOf(tables: MemoryTables, before: Task | undefined, after: Task): string | undefined {
  const { concurrency } = after.spec;
  if (concurrency === undefined || after.state !== 'PLACED' || before?.state === 'PLACED') return undefined;
  const inPlace = [...tables.tasks.values()].filter(
    (other) =>
      other.cluster === after.cluster &&
      other.spec.concurrency?.key === concurrency.key &&
      (other.state === 'PLACED' || other.state === 'RUNNING') &&
      !isAfter(other, after),
  );
  return inPlace.length <= concurrency.max
    ? undefined
    : `${inPlace.length} tasks of "${concurrency.key}" have a place, and ${after.taskId} allows ${concurrency.max}`;
}

/** Of those that one claim places at once, whoever allows the least takes its place first. */
const isAfter = (other: Task, task: Task): boolean =>
  other.hostId === task.hostId &&
  other.placedAt === task.placedAt &&
  (other.spec.concurrency?.max ?? 0) > (task.spec.concurrency?.max ?? 0);
