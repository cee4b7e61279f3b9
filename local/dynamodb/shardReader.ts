import {
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import type { EngineClock } from '../engine/clock.ts';
import type { Checkpoints } from './checkpoint.ts';
import { Pause } from './pause.ts';

export interface StreamBatch {
  /** In the order of the shard; never empty. */
  readonly records: readonly StreamRecord[];
  readonly shardId: string;
  /** 1 for the first try of a batch, counting up while none of it gets through. */
  readonly attempt: number;
}

/**
 * Deals with a batch. Resolve with nothing when all of it is dealt with (or given up), with the sequence number of the
 * first record that is not to have the batch again from there; a rejection is the whole batch again.
 */
export type BatchHandler = (batch: StreamBatch) => Promise<string | undefined>;

export interface ShardReaderOptions {
  readonly client: Pick<DynamoDBStreamsClient, 'send'>;
  readonly streamArn: string;
  readonly shardId: string;
  readonly checkpoints: Checkpoints;
  readonly clock: EngineClock;
  readonly batchSize: number;
  readonly startAt: 'TRIM_HORIZON' | 'LATEST';
  readonly onRecords: BatchHandler;
  readonly log: (line: string) => void;
}

/** Writes wake a reader, so polling is only for what is written past the proxy; it slows down while nothing comes. */
const MIN_IDLE_MS = 20;
const MAX_IDLE_MS = 200;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 10_000;
/** The database is back within seconds of a death. */
const MAX_READ_RETRY_MS = 1_000;
/** GetRecords gives no more at a call. */
const MAX_RECORDS = 1_000;

/** Follows one shard to its end, or for ever while it is open. */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  readonly #idlePause: Pause;
  /** Apart from the other, so that a write does not cut the wait after a failure short. */
  readonly #retryPause: Pause;
  #stopped = false;
  #idleMs = MIN_IDLE_MS;
  #retryMs = MIN_RETRY_MS;
  /** The records behind the checkpoint were trimmed before they were read. */
  #lost = false;

  constructor(options: ShardReaderOptions) {
    this.#options = options;
    this.#idlePause = new Pause(options.clock);
    this.#retryPause = new Pause(options.clock);
  }

  /** There may be something to read now. */
  wake(): void {
    this.#idleMs = MIN_IDLE_MS;
    this.#idlePause.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#idlePause.wake();
    this.#retryPause.wake();
  }

  /** Resolves when the shard is finished or the reader was stopped; a batch in hand is let go on to its end. */
  async run(): Promise<void> {
    let iterator: string | undefined;
    while (!this.#stopped) {
      try {
        iterator ??= await this.#openIterator();
        const { Records: records = [], NextShardIterator: next } = await this.#read(iterator);
        this.#retryMs = MIN_RETRY_MS;
        if (records.length > 0) await this.#deliver(records);
        if (this.#stopped) return;
        if (next === undefined) return this.#options.checkpoints.finish(this.#options.shardId);
        iterator = next;
        if (records.length === 0) await this.#idle();
      } catch (error) {
        iterator = undefined;
        await this.#recover(error);
      }
    }
  }

  async #openIterator(): Promise<string | undefined> {
    const { client, streamArn, shardId, checkpoints, startAt } = this.#options;
    const { sequenceNumber } = checkpoints.get(shardId);
    const from =
      sequenceNumber === undefined || this.#lost
        ? { ShardIteratorType: this.#lost ? ('TRIM_HORIZON' as const) : startAt }
        : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, SequenceNumber: sequenceNumber };
    const command = new GetShardIteratorCommand({ StreamArn: streamArn, ShardId: shardId, ...from });
    return (await client.send(command)).ShardIterator;
  }

  #read(iterator: string | undefined) {
    const { client, batchSize } = this.#options;
    const limit = Math.min(batchSize, MAX_RECORDS);
    return client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }));
  }

  async #deliver(records: readonly StreamRecord[]): Promise<void> {
    const { checkpoints, shardId } = this.#options;
    let pending = records;
    let attempt = 1;
    let retryMs = MIN_RETRY_MS;
    while (!this.#stopped) {
      const failedAt = await this.#handle({ records: pending, shardId, attempt });
      const done = pending.slice(0, failedAt);
      const last = done.at(-1)?.dynamodb?.SequenceNumber;
      if (last !== undefined) checkpoints.advance(shardId, last);
      pending = pending.slice(failedAt);
      if (pending.length === 0) {
        this.#lost = false;
        this.#idleMs = MIN_IDLE_MS;
        return;
      }
      attempt = done.length > 0 ? 1 : attempt + 1;
      retryMs = done.length > 0 ? MIN_RETRY_MS : Math.min(retryMs * 2, MAX_RETRY_MS);
      await this.#retryPause.wait(retryMs);
    }
  }

  /** The index of the first record to have again; the batch's length when there is none. */
  async #handle(batch: StreamBatch): Promise<number> {
    try {
      const resumeFrom = await this.#options.onRecords(batch);
      if (resumeFrom === undefined) return batch.records.length;
      const index = batch.records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === resumeFrom);
      // A number that is not in the batch says that something failed and not what: all of it again, as Lambda does.
      return Math.max(index, 0);
    } catch (error) {
      this.#options.log(`batch of ${batch.shardId} failed, attempt ${batch.attempt}: ${String(error)}`);
      return 0;
    }
  }

  async #idle(): Promise<void> {
    if (await this.#idlePause.wait(this.#idleMs)) return;
    this.#idleMs = Math.min(this.#idleMs * 2, MAX_IDLE_MS);
  }

  async #recover(error: unknown): Promise<void> {
    const { log, shardId } = this.#options;
    const name = error instanceof Error ? error.name : '';
    if (name === 'ExpiredIteratorException') return;
    if (name === 'TrimmedDataAccessException') {
      log(`records of ${shardId} were trimmed before they were read; going on with the oldest there is`);
      this.#lost = true;
      return;
    }
    // Once, not at every try.
    if (this.#retryMs === MIN_RETRY_MS) log(`reading ${shardId} failed, trying again: ${String(error)}`);
    await this.#retryPause.wait(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_READ_RETRY_MS);
  }
}
