import type { Message } from '@aws-sdk/client-sqs';
import type { Cancel } from '../../engine/clock.ts';
import type { EngineContext } from '../../engine/service.ts';
import type { Collection } from '../../engine/state.ts';
import type { FunctionRecord } from '../function.ts';
import type { Invoker } from '../invoker.ts';
import { batchItemFailures } from './batchResponse.ts';
import type { RecordFilter } from './filter.ts';
import type { MappingRecord } from './mapping.ts';
import type { QueueSource } from './queueSource.ts';
import { sqsRecord } from './sqsEvent.ts';

/** A synchronous invocation carries at most 6 MB; what the record adds around a body fits into the rest. */
const MAX_BATCH_BYTES = 5_000_000;

export interface PollerParts {
  readonly context: EngineContext;
  readonly invoker: Invoker;
  /** Undefined once the function is deleted. */
  readonly find: (functionName: string) => FunctionRecord | undefined;
}

/** A batch that a function is working on, by receipt handles. */
export interface BatchInHand {
  readonly mapping: string;
  readonly handles: readonly string[];
}

export interface QueuePollerParts extends PollerParts {
  readonly inHand: Collection<BatchInHand>;
  readonly failedMessageDelayMs?: number;
}

const handlesOf = (messages: readonly Message[]): string[] =>
  messages.map(({ ReceiptHandle }) => ReceiptHandle ?? '');

/** Cuts a batch so that each part fits into one event; a single message always does. */
function* partsOf(messages: readonly Message[]): Generator<readonly Message[]> {
  let part: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.Body ?? '') + 4096;
    if (part.length > 0 && bytes + size > MAX_BATCH_BYTES) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(message);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/**
 * Carries a queue's messages to a function: as soon as one is visible and there is a place to run it. What a function
 * fails stays in flight until its visibility timeout ends, as with the real poller. A FIFO queue itself holds back a
 * group that has messages in flight, so at most one batch of a group is under way.
 */
export class QueuePoller {
  readonly #parts: QueuePollerParts;
  readonly #mapping: MappingRecord;
  readonly #source: QueueSource;
  readonly #filter: RecordFilter;
  readonly #cancelListening: Cancel;
  #running = 0;
  /** Messages that wait for the batching window to close. */
  #gathered: Message[] = [];
  #window: { cancel: Cancel; closed: boolean } | undefined;
  #stopped = false;

  constructor(parts: QueuePollerParts, mapping: MappingRecord, source: QueueSource, filter: RecordFilter) {
    this.#parts = parts;
    this.#mapping = mapping;
    this.#source = source;
    this.#filter = filter;
    this.#cancelListening = source.listen(() => this.pump());
    this.pump();
  }

  /** Starts what can be started: called when messages have come and when a place has become free. */
  pump(): void {
    while (!this.#stopped) {
      const fn = this.#parts.find(this.#mapping.functionName);
      if (!fn || this.#running >= (this.#mapping.maximumConcurrency ?? Number.POSITIVE_INFINITY)) return;
      if (!this.#parts.invoker.hasPlace(fn)) return;
      const batch = this.#nextBatch();
      if (batch.length === 0) return;
      const release = this.#parts.invoker.takePlace(fn);
      // Nothing else runs between the question and the taking.
      if (release) void this.#run(fn, batch, release);
      else this.#release(handlesOf(batch), 0);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelListening();
    this.#window?.cancel();
    this.#release(handlesOf(this.#gathered.splice(0)), 0);
  }

  #release(handles: readonly string[], visibilityMs: number): void {
    try {
      this.#source.release(handles, visibilityMs);
    } catch (error) {
      // Visible again already, or deleted after all: either way there is nothing to give back.
      this.#parts.context.log(`lambda: a message of ${this.#source.arn} was not held: ${String(error)}`);
    }
  }

  /** The next full batch, or what there is when no window is set or it has closed. */
  #nextBatch(): readonly Message[] {
    const { batchSize, maximumBatchingWindowSeconds } = this.#mapping;
    const room = batchSize - this.#gathered.length;
    if (room > 0) this.#gathered.push(...this.#receive(room));
    if (this.#gathered.length === 0) return [];
    const isFull = this.#gathered.length >= batchSize;
    if (maximumBatchingWindowSeconds > 0 && !isFull && !this.#window?.closed) {
      this.#window ??= this.#openWindow(maximumBatchingWindowSeconds * 1000);
      return [];
    }
    this.#window?.cancel();
    this.#window = undefined;
    return this.#gathered.splice(0);
  }

  #openWindow(windowMs: number): { cancel: Cancel; closed: boolean } {
    const cancel = this.#parts.context.clock.after(windowMs, () => {
      window.closed = true;
      this.pump();
    });
    const window = { cancel, closed: false };
    return window;
  }

  /** Receives messages; what no filter wants is deleted, as the service does. */
  #receive(max: number): readonly Message[] {
    const wanted: Message[] = [];
    while (wanted.length < max) {
      // Ten is what one receive hands out.
      const received = this.#source.receive(Math.min(10, max - wanted.length));
      if (received.length === 0) break;
      const kept = received.filter((message) => this.#filter(this.#record(message)));
      wanted.push(...kept);
      const refused = received.filter((message) => !kept.includes(message));
      if (refused.length > 0) this.#source.delete(handlesOf(refused));
      // A second receive of a FIFO queue could only bring other groups; the batch is what one receive gave.
      if (this.#source.fifo) break;
    }
    return wanted;
  }

  #record(message: Message): object {
    return sqsRecord(message, this.#source.arn, this.#parts.context.region);
  }

  async #run(fn: FunctionRecord, batch: readonly Message[], release: () => void): Promise<void> {
    this.#running += 1;
    const key = this.#parts.context.hex(16);
    this.#parts.inHand.set(key, { mapping: this.#mapping.uuid, handles: handlesOf(batch) });
    try {
      for (const part of partsOf(batch)) {
        const done = await this.#invoke(fn, part);
        // Order matters in a FIFO queue: what follows a failed part waits for it.
        if (!done && this.#source.fifo) break;
      }
    } finally {
      this.#running -= 1;
      this.#parts.inHand.delete(key);
      release();
      // The place is usually enough to wake all pollers; a bound of this mapping's own is known only here.
      this.pump();
    }
  }

  /** Runs one event and deletes what it has dealt with; false when a message has failed. */
  async #invoke(fn: FunctionRecord, messages: readonly Message[]): Promise<boolean> {
    const payload = JSON.stringify({ Records: messages.map((message) => this.#record(message)) });
    // The place is held for the whole batch and given back by the caller.
    const invocation = await this.#parts.invoker.invokeHeld(fn, { payload }, () => {});
    if (invocation.status !== 'success') return this.#failed(messages);
    const ids = new Set(messages.map(({ MessageId }) => MessageId ?? ''));
    const failed = this.#mapping.reportBatchItemFailures
      ? batchItemFailures(invocation.payload, ids)
      : new Set<string>();
    if (failed === 'all') return this.#failed(messages);
    const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    try {
      this.#source.delete(handlesOf(done));
    } catch (error) {
      // The visibility timeout was shorter than the work: the message is someone else's by now and will come again.
      this.#parts.context.log(`lambda: ${fn.name} was done with a message too late: ${String(error)}`);
    }
    return failed.size === 0 || this.#failed(messages.filter((message) => !done.includes(message)));
  }

  #failed(messages: readonly Message[]): false {
    // A stop kills what runs: what has not failed by itself need not wait.
    const failedMessageDelayMs = this.#stopped ? 0 : this.#parts.failedMessageDelayMs;
    if (failedMessageDelayMs !== undefined) this.#release(handlesOf(messages), failedMessageDelayMs);
    return false;
  }
}
