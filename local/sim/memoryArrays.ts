import type { ArrayStore } from '../../layers/ports/store.ts';
import type { MemoryTables } from './memoryTables.ts';

export function arrayCommands({ arrays, arrayEnds }: MemoryTables): ArrayStore {
  return {
    async openArray(array) {
      if (!arrays.has(array.arrayId)) arrays.set(array.arrayId, array);
    },
    async getArray(arrayId) {
      return arrays.get(arrayId);
    },
    async countArrayMember({ array: { arrayId, size }, index, end, nowMs }) {
      const ends = arrayEnds.get(arrayId) ?? new Map<number, typeof end>();
      arrayEnds.set(arrayId, ends.set(index, end));
      const array = arrays.get(arrayId);
      if (array === undefined || array.endedAt !== undefined || ends.size < size) return;
      const count = (which: typeof end) => [...ends.values()].filter((each) => each === which).length;
      arrays.set(arrayId, {
        ...array,
        endedAt: nowMs,
        succeeded: count('succeeded'),
        failed: count('failed'),
        cancelled: count('cancelled'),
      });
    },
  };
}
