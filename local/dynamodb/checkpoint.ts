import type { Collection } from '../engine/state.ts';

/** How far a reader has come in one shard. */
export interface Checkpoint {
  /** The last record dealt with; absent before the first. */
  readonly sequenceNumber?: string;
  /** The shard takes no more records and all of them are dealt with: its children may be read. */
  readonly finished: boolean;
}

/** One reader's checkpoints in one stream. A table made anew has a new stream, so nothing of the old one is taken over. */
export class Checkpoints {
  readonly #records: Collection<Checkpoint>;
  readonly #prefix: string;

  constructor(records: Collection<Checkpoint>, consumer: string, streamArn: string) {
    this.#records = records;
    this.#prefix = `${consumer}|${streamArn}|`;
  }

  get(shardId: string): Checkpoint {
    return this.#records.get(this.#prefix + shardId) ?? { finished: false };
  }

  advance(shardId: string, sequenceNumber: string): void {
    this.#records.set(this.#prefix + shardId, { sequenceNumber, finished: false });
  }

  finish(shardId: string): void {
    this.#records.set(this.#prefix + shardId, { ...this.get(shardId), finished: true });
  }
}
