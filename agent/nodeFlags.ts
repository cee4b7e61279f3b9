/**
 * An agent makes little that lives: a large young generation would be most of its memory. `--expose-gc` lets it give back
 * what it does not use, see `unusedMemory.ts`. Its heap is too small for threads that help to collect it; and code that is
 * used once in ten seconds is old to a collector that comes as often, so that it would be compiled anew each time.
 */
export const HEAP_FLAGS = [
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--expose-gc',
  '--single-threaded-gc',
  '--no-flush-bytecode',
] as const;

/**
 * How Node.js runs the agent's bundle; the unit file has the same. Lite mode leaves out the compilers (their code alone is
 * 8 MB of resident pages) and the feedback they would need: the agent computes little and waits much. Without a compiler
 * there is no WebAssembly, by which Node.js strips types: the agent's source takes `HEAP_FLAGS` only.
 */
export const NODE_FLAGS = [...HEAP_FLAGS, '--lite-mode'] as const;

/**
 * Has glibc return what is freed (mallopt(3)); the unit file has the same. By itself, once a large piece has been freed, it
 * takes pieces of that size from the heap for good, where small ones come to lie behind them and keep all of it.
 */
export const MALLOC_SETTINGS = {
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '4096',
  MALLOC_TRIM_THRESHOLD_: '65536',
} as const;
