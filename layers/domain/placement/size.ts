import type { HostTable } from './hostTable.ts';
import { byUrgency } from './order.ts';
import type { Queued, TaskClass } from './taskClass.ts';

/** Order by priority, then from the largest task down; size is the largest share of an average host. */
export function bySize(table: HostTable): (a: Queued, b: Queued) => number {
  const average = table.averageCapacity();
  const sizes = new Map<TaskClass, number>();
  const sizeOf = (cls: TaskClass): number => {
    let size = sizes.get(cls);
    if (size === undefined) {
      size = 0;
      for (let i = 0; i < cls.dimensions.length; i += 1) {
        const whole = average[cls.dimensions[i] as number] as number;
        if (whole > 0) size = Math.max(size, (cls.amounts[i] as number) / whole);
      }
      sizes.set(cls, size);
    }
    return size;
  };
  return (a, b) =>
    b.task.spec.priority - a.task.spec.priority || sizeOf(b.cls) - sizeOf(a.cls) || byUrgency(a.task, b.task);
}
