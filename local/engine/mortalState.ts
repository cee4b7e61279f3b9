import { type Collection, type EngineState, memoryState } from './state.ts';

export interface MortalState extends EngineState {
  /** Dies at the `writes`-th write from now: that one and all later ones leave no trace. */
  dieAfter(writes: number): void;
  /** What happens from now on happens in a process that does not exist: whoever watches must look away. */
  readonly dead: boolean;
  /** What a new process finds: every finished write, and of an unfinished `atomically` none. */
  readonly survivor: EngineState;
}

/** Memory state that can be killed between any two writes, for tests of what a killed process leaves behind. */
export function mortalState(survivor: EngineState = memoryState()): MortalState {
  let left = Number.POSITIVE_INFINITY;
  let dead = false;
  let depth = 0;
  let undo: (() => void)[] = [];

  /** Whether this write still reaches the disk. */
  const reaches = (): boolean => {
    if (dead) return false;
    if (left-- > 0) return true;
    dead = true;
    for (const step of undo.reverse()) step();
    undo = [];
    return false;
  };

  return {
    survivor,
    get dead() {
      return dead;
    },
    dieAfter(writes) {
      left = writes;
    },
    atomically(work) {
      depth++;
      try {
        return work();
      } finally {
        if (--depth === 0) undo = [];
      }
    },
    collection<T>(name: string): Collection<T> {
      const disk = survivor.collection<T>(name);
      const memory = new Map<string, T>(disk.entries());
      const keep = (key: string): void => {
        const before = disk.get(key);
        if (depth > 0) undo.push(() => (before === undefined ? disk.delete(key) : disk.set(key, before)));
      };
      return {
        get: (key) => memory.get(key),
        set(key, value) {
          memory.set(key, value);
          if (!reaches()) return;
          keep(key);
          disk.set(key, value);
        },
        delete(key) {
          if (reaches()) {
            keep(key);
            disk.delete(key);
          }
          return memory.delete(key);
        },
        values: () => memory.values(),
        entries: () => memory.entries(),
        get size() {
          return memory.size;
        },
      };
    },
    close: () => survivor.close(),
  };
}
