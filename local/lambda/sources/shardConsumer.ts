import type { Cancel } from '../../engine/clock.ts';
import type { FunctionRecord } from '../function.ts';
import type { Invocation } from '../invoker.ts';
import { batchItemFailures } from './batchResponse.ts';
import type { RecordFilter } from './filter.ts';
import type { MappingRecord } from './mapping.ts';
import type { PollerParts } from './queuePoller.ts';
import { streamEventRecord } from './streamEvent.ts';
import type { StreamRecord } from './streamSource.ts';

const MAX_BATCH_BYTES = 5_000_000;
/** Waits between tries of a failed batch double from one second up to one minute. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

export type GivenUp = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

export interface ShardConsumerOptions extends PollerParts {
  readonly mapping: MappingRecord;
  readonly streamArn: string;
  readonly shardId: string;
  readonly filter: RecordFilter;
  /** Everything up to this record is dealt with. */
  checkpoint(sequenceNumber: string): void;
  /** The function will not see these records (again). */
  giveUp(records: readonly StreamRecord[], reason: GivenUp, tries: number, last?: Invocation): Promise<void>;
}

interface Tried {
  /** The record before which everything is done; the batch's length when nothing failed. */
  readonly failedFrom: number;
  readonly invocation?: Invocation;
}

/** Carries one shard's records to a function, in order: a batch that fails holds back all that follow it. */
export class ShardConsumer {
  readonly #options: ShardConsumerOptions;
  #buffer: StreamRecord[] = [];
  #loop: Promise<void> | undefined;
  #stopped = false;
  #cancelWait: Cancel | undefined;
  #wake: (() => void) | undefined;
  #roomWanted: (() => void)[] = [];
  /** Of the last record taken in; a reader that starts over brings some again. */
  #lastTaken = -1n;

  constructor(options: ShardConsumerOptions) {
    this.#options = options;
  }

  /** Takes records; resolves when more may come: at most a batch is kept ahead of the function. */
  async offer(records: readonly StreamRecord[]): Promise<void> {
    if (this.#stopped) return;
    for (const record of records) {
      const sequence = BigInt(record.sequenceNumber);
      if (sequence <= this.#lastTaken) continue;
      this.#lastTaken = sequence;
      this.#buffer.push(record);
    }
    if (this.#isFull()) this.#wake?.();
    this.#loop ??= this.#work().finally(() => {
      this.#loop = undefined;
    });
    while (this.#isFull() && !this.#stopped) {
      await new Promise<void>((resolve) => this.#roomWanted.push(resolve));
    }
  }

  /** Resolves when everything taken in is dealt with; false when the consumer was stopped before. */
  async drained(): Promise<boolean> {
    await this.#loop;
    return !this.#stopped;
  }

  /** Called when a place for an invocation may have become free. */
  placeFreed(): void {
    this.#wake?.();
  }

  /** Ends after the running try; what is not dealt with is read again from the checkpoint. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWait?.();
    this.#wake?.();
    for (const resolve of this.#roomWanted.splice(0)) resolve();
    await this.#loop;
  }

  #isFull(): boolean {
    return this.#buffer.length >= this.#options.mapping.batchSize;
  }

  async #work(): Promise<void> {
    const windowMs = this.#options.mapping.maximumBatchingWindowSeconds * 1000;
    while (this.#buffer.length > 0 && !this.#stopped) {
      if (windowMs > 0 && !this.#isFull()) await this.#pause(windowMs, () => this.#isFull());
      if (this.#stopped) return;
      const batch = this.#takeBatch();
      const wanted = batch.filter((record) => this.#options.filter(this.#record(record)));
      if (wanted.length > 0 && !(await this.#deal(wanted, 0))) return;
      this.#checkpoint(batch);
      for (const resolve of this.#roomWanted.splice(0)) resolve();
    }
  }

  #takeBatch(): StreamRecord[] {
    let bytes = 0;
    let count = 0;
    for (const record of this.#buffer) {
      // JSON with attribute types is about three times what the stream counts.
      bytes += record.sizeBytes * 3 + 1024;
      if (count > 0 && (bytes > MAX_BATCH_BYTES || count >= this.#options.mapping.batchSize)) break;
      count += 1;
    }
    return this.#buffer.splice(0, count);
  }

  #checkpoint(done: readonly StreamRecord[]): void {
    const last = done.at(-1);
    if (last) this.#options.checkpoint(last.sequenceNumber);
  }

  /** Brings a batch to its end: done, or given up on. False when a stop came first. */
  async #deal(records: readonly StreamRecord[], failedTries: number): Promise<boolean> {
    const { mapping } = this.#options;
    let batch = records;
    for (let tries = failedTries; !this.#stopped; ) {
      batch = await this.#withoutExpired(batch, tries);
      if (batch.length === 0) return true;
      const { failedFrom, invocation } = await this.#try(batch);
      this.#checkpoint(batch.slice(0, failedFrom));
      if (failedFrom >= batch.length) return true;
      // A stop kills what runs: that is no failure of the function's.
      if (this.#stopped) return false;
      batch = batch.slice(failedFrom);
      if (mapping.bisectBatchOnFunctionError && failedFrom === 0 && batch.length > 1) {
        // Splitting does not use up a retry.
        const middle = Math.ceil(batch.length / 2);
        return (await this.#deal(batch.slice(0, middle), tries)) && this.#deal(batch.slice(middle), tries);
      }
      tries += 1;
      const retries = mapping.maximumRetryAttempts ?? -1;
      if (retries >= 0 && tries > retries) {
        await this.#options.giveUp(batch, 'RetryAttemptsExhausted', tries, invocation);
        return true;
      }
      await this.#pause(Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), MAX_RETRY_MS), () => false);
    }
    return false;
  }

  async #withoutExpired(batch: readonly StreamRecord[], tries: number): Promise<readonly StreamRecord[]> {
    const maxAgeSeconds = this.#options.mapping.maximumRecordAgeSeconds ?? -1;
    if (maxAgeSeconds < 0) return batch;
    const oldestMs = this.#options.context.clock.now() - maxAgeSeconds * 1000;
    const expired = batch.filter((record) => record.createdMs < oldestMs);
    if (expired.length > 0) await this.#options.giveUp(expired, 'RecordAgeExceeded', tries);
    return batch.filter((record) => record.createdMs >= oldestMs);
  }

  async #try(batch: readonly StreamRecord[]): Promise<Tried> {
    const { invoker, find, mapping } = this.#options;
    for (;;) {
      const fn = find(mapping.functionName);
      const release = fn && invoker.takePlace(fn);
      if (fn && release) return this.#invoke(fn, batch, release);
      await this.#untilWoken();
      if (this.#stopped) return { failedFrom: 0 };
    }
  }

  async #invoke(fn: FunctionRecord, batch: readonly StreamRecord[], release: () => void): Promise<Tried> {
    const payload = JSON.stringify({ Records: batch.map((record) => this.#record(record)) });
    const invocation = await this.#options.invoker.invokeHeld(fn, { payload }, release);
    if (invocation.status !== 'success') return { failedFrom: 0, invocation };
    if (!this.#options.mapping.reportBatchItemFailures) return { failedFrom: batch.length };
    const known = new Set(batch.map(({ sequenceNumber }) => sequenceNumber));
    const failed = batchItemFailures(invocation.payload, known);
    if (failed === 'all') return { failedFrom: 0, invocation };
    const first = batch.findIndex(({ sequenceNumber }) => failed.has(sequenceNumber));
    return { failedFrom: first === -1 ? batch.length : first, invocation };
  }

  #record(record: StreamRecord): object {
    return streamEventRecord(record, this.#options.streamArn, this.#options.context.region);
  }

  /** Waits, at most until a stop or until `isOver` when woken: a batching window ends with a full batch, a retry does not. */
  #pause(delayMs: number, isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#cancelWait?.();
        this.#wake = undefined;
        resolve();
      };
      this.#cancelWait = this.#options.context.clock.after(delayMs, end);
      this.#wake = () => {
        if (this.#stopped || isOver()) end();
      };
    });
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
