/** An agent makes little that lives: a large young generation would be most of its memory. */
export const HEAP_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=64'] as const;

/**
 * How Node.js runs the agent's bundle; the unit file has the same. Lite mode leaves out the compilers (their code alone is
 * 8 MB of resident pages) and the feedback they would need: the agent computes little and waits much. Without a compiler
 * there is no WebAssembly, by which Node.js strips types: the agent's source takes `HEAP_FLAGS` only.
 */
export const NODE_FLAGS = [...HEAP_FLAGS, '--lite-mode'] as const;
