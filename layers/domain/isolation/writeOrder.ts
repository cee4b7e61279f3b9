import type { Knob } from './knob.ts';

/** A knob whose file holds something else. */
export interface Change {
  readonly knob: Knob;
  /** The file's content now. */
  readonly from: string;
}

/**
 * Orders the writes of one group so that the kernel accepts each on its way:
 * - idle goes off before a weight is written, and on after everything else of the CPU
 * - a burst shrinks before its quota and grows after it, since it may never exceed it
 * - v1: memory's limit shrinks before memory+swap's and grows after it
 * - a cpuset partition is made of CPUs that are the group's and exclusive by then, and ends before they change
 * - memory protection (`min`, `low`) is lowered before the maximum and raised after it
 */
export function orderWrites(changes: readonly Change[]): Change[] {
  return changes
    .map((change, index) => ({ change, index, rank: rank(change) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ change }) => change);
}

function rank({ knob, from }: Change): number {
  const grows = amount(knob.value) > amount(from);
  switch (knob.file) {
    case 'cpu.idle':
      return knob.value === '0' ? 0 : 9;
    case 'cpu.max.burst':
    case 'cpu.cfs_burst_us':
    case 'memory.min':
    case 'memory.low':
    case 'memory.soft_limit_in_bytes':
      return grows ? 6 : 1;
    case 'cpuset.cpus.partition':
      return knob.value === 'member' ? 0 : 8;
    case 'cpuset.cpus.exclusive':
      return 7;
    case 'cpu.cfs_period_us':
      return 2;
    case 'memory.memsw.limit_in_bytes':
      return grows ? 3 : 5;
    default:
      return 4;
  }
}

/** The first number of a value; "max" and v1's negative "no limit" are above every number. */
function amount(value: string): number {
  const first = value.trim().split(/\s/)[0] ?? '';
  const number = Number(first);
  return first === 'max' || number < 0 ? Infinity : number;
}
