import type { Task } from '../../layers/domain/model/task.ts';
import type { Store } from '../../layers/ports/store.ts';
import { arrayCommands } from './memoryArrays.ts';
import { arrivalCommands } from './memoryArrivals.ts';
import { clusterCommands } from './memoryClusters.ts';
import { hostCommands } from './memoryHosts.ts';
import { seatCommands } from './memorySeats.ts';
import { emptyTables, type MemoryTables } from './memoryTables.ts';
import { taskCommands } from './memoryTasks.ts';

export interface MemoryStoreOptions {
  /**
   * The index of the real store lags. Asked for every task whose record and index entry may differ; `true` shows the
   * caller the entry as it was before the task's last change. Never stale when absent.
   */
  readonly isStale?: (task: Task) => boolean;
}

/**
 * The store's port in memory, with the guards of the one on DynamoDB: one contract suite runs over both. Records are
 * replaced, never changed, so what a caller was given stays as it was.
 */
export function createMemoryStore(
  options: MemoryStoreOptions = {},
): Store & { readonly tables: MemoryTables } {
  const tables = emptyTables();
  return {
    tables,
    ...taskCommands(tables, options.isStale ?? (() => false)),
    ...arrivalCommands(tables),
    ...arrayCommands(tables),
    ...seatCommands(tables),
    ...hostCommands(tables),
    ...clusterCommands(tables),
  };
}
