import type { Host } from '../model/host.ts';
import { amountOf, type Resources } from '../model/resources.ts';
import { penaltyOf } from './penalty.ts';

const BUCKETS = 256;
/** Shares and penalties together: beyond it hosts are equally little wanted. */
const MOST_KEY = 4;

/**
 * What hosts have left, as columns, to find those that a task would most likely go to without a look at any host's record:
 * thousands of them take some microseconds. It knows processor and memory only, and who gives the task a place decides.
 */
export class RoomIndex {
  readonly #cpu: Float64Array;
  readonly #memory: Float64Array;
  /** Of each row, how far it is from full, 0..255; the fullest are wanted first (`packingScore`), bad hosts last. */
  readonly #bucket: Uint8Array;
  readonly #counts = new Int32Array(BUCKETS);

  constructor(hosts: readonly Host[], nowMs: number) {
    this.#cpu = new Float64Array(hosts.length);
    this.#memory = new Float64Array(hosts.length);
    this.#bucket = new Uint8Array(hosts.length);
    hosts.forEach((host, row) => {
      this.set(row, host, nowMs);
    });
  }

  set(row: number, host: Host, nowMs: number): void {
    const { state, left, capacity } = host;
    // Of what takes no tasks nothing is left.
    this.#cpu[row] = state === 'READY' ? amountOf(left, 'cpu') : Number.NEGATIVE_INFINITY;
    this.#memory[row] = amountOf(left, 'memory');
    const share = (shareOf(left, capacity, 'cpu') + shareOf(left, capacity, 'memory')) / 2;
    const key = Math.min(MOST_KEY, Math.max(0, share + penaltyOf(host, nowMs)));
    this.#bucket[row] = Math.floor((key / MOST_KEY) * (BUCKETS - 1));
  }

  /** Rows with room for the demand, by row: about `most`, the fullest. */
  fullest(demand: Resources, most: number): number[] {
    const [cpu, memory, bucket, counts] = [this.#cpu, this.#memory, this.#bucket, this.#counts.fill(0)];
    const [needCpu, needMemory] = [amountOf(demand, 'cpu'), amountOf(demand, 'memory')];
    for (let row = 0; row < cpu.length; row += 1) {
      if ((cpu[row] as number) < needCpu || (memory[row] as number) < needMemory) continue;
      const at = bucket[row] as number;
      counts[at] = (counts[at] as number) + 1;
    }
    let last = 0;
    for (let found = 0; last < BUCKETS; last += 1) {
      found += counts[last] as number;
      if (found >= most) break;
    }
    const rows: number[] = [];
    // A bucket may hold thousands alike: of the last one only as many as are still missing.
    let spare = most - sumBelow(counts, last);
    for (let row = 0; row < cpu.length && rows.length < most; row += 1) {
      const at = bucket[row] as number;
      if (at > last || (cpu[row] as number) < needCpu || (memory[row] as number) < needMemory) continue;
      if (at === last && spare-- <= 0) continue;
      rows.push(row);
    }
    return rows;
  }
}

const shareOf = (left: Resources, capacity: Resources, dimension: string): number => {
  const whole = amountOf(capacity, dimension);
  return whole > 0 ? amountOf(left, dimension) / whole : 0;
};

function sumBelow(counts: Int32Array, end: number): number {
  let sum = 0;
  for (let at = 0; at < end; at += 1) sum += counts[at] as number;
  return sum;
}
