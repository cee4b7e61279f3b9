import type { Deliverer } from '../../engine/service.ts';
import type { Collection } from '../../engine/state.ts';
import type { Invocation } from '../invoker.ts';
import type { RecordFilter } from './filter.ts';
import type { MappingRecord } from './mapping.ts';
import type { PollerParts } from './queuePoller.ts';
import { type GivenUp, ShardConsumer } from './shardConsumer.ts';
import type { ShardProgress, StreamRecord, StreamSource } from './streamSource.ts';

export interface StreamPollerParts extends PollerParts {
  readonly deliverer: Deliverer;
  /** By mapping and shard. */
  readonly checkpoints: Collection<ShardProgress>;
}

/** Carries a table's stream to a function, shard by shard, and remembers how far it has come. */
export class StreamPoller {
  readonly #parts: StreamPollerParts;
  readonly #mapping: MappingRecord;
  readonly #source: StreamSource;
  readonly #filter: RecordFilter;
  readonly #shards = new Map<string, ShardConsumer>();
  readonly #reading: { stop(): Promise<void> };

  constructor(parts: StreamPollerParts, mapping: MappingRecord, source: StreamSource, filter: RecordFilter) {
    this.#parts = parts;
    this.#mapping = mapping;
    this.#source = source;
    this.#filter = filter;
    this.#reading = source.read({
      progress: (shardId) => this.#progress(shardId),
      startingPosition: mapping.startingPosition ?? 'TRIM_HORIZON',
      onRecords: (shardId, records) => this.#shard(shardId).offer(records),
      onEnd: (shardId) => void this.#finish(shardId),
    });
  }

  pump(): void {
    for (const shard of this.#shards.values()) shard.placeFreed();
  }

  async stop(): Promise<void> {
    const ended = [...this.#shards.values()].map((shard) => shard.stop());
    await Promise.all([this.#reading.stop(), ...ended]);
  }

  #key(shardId: string): string {
    return `${this.#mapping.uuid}/${shardId}`;
  }

  #progress(shardId: string): ShardProgress {
    return this.#parts.checkpoints.get(this.#key(shardId)) ?? { finished: false };
  }

  async #finish(shardId: string): Promise<void> {
    const shard = this.#shards.get(shardId);
    if (shard && !(await shard.drained())) return;
    this.#parts.checkpoints.set(this.#key(shardId), { ...this.#progress(shardId), finished: true });
    this.#shards.delete(shardId);
  }

  #shard(shardId: string): ShardConsumer {
    const known = this.#shards.get(shardId);
    if (known) return known;
    const shard = new ShardConsumer({
      ...this.#parts,
      mapping: this.#mapping,
      streamArn: this.#source.arn,
      shardId,
      filter: this.#filter,
      checkpoint: (sequenceNumber) =>
        this.#parts.checkpoints.set(this.#key(shardId), { sequenceNumber, finished: false }),
      giveUp: (records, reason, tries, last) => this.#giveUp(shardId, records, reason, tries, last),
    });
    this.#shards.set(shardId, shard);
    return shard;
  }

  /** Sends where the records are, not what they hold, as the service does. */
  async #giveUp(
    shardId: string,
    records: readonly StreamRecord[],
    reason: GivenUp,
    tries: number,
    last: Invocation | undefined,
  ): Promise<void> {
    const { context, find, deliverer } = this.#parts;
    const first = records[0];
    const end = records.at(-1);
    const fn = find(this.#mapping.functionName);
    context.log(
      `lambda: ${this.#mapping.functionName} gave up on ${records.length} stream records (${reason})`,
    );
    if (!first || !end || !fn || !this.#mapping.onFailureArn) return;
    const body = {
      requestContext: {
        requestId: last?.requestId ?? '',
        functionArn: fn.arn,
        condition: reason,
        approximateInvokeCount: tries,
      },
      ...(last
        ? { responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' } }
        : {}),
      version: '1.0',
      timestamp: new Date(context.clock.now()).toISOString(),
      DDBStreamBatchInfo: {
        shardId,
        startSequenceNumber: first.sequenceNumber,
        endSequenceNumber: end.sequenceNumber,
        approximateArrivalOfFirstRecord: new Date(first.createdMs).toISOString(),
        approximateArrivalOfLastRecord: new Date(end.createdMs).toISOString(),
        batchSize: records.length,
        streamArn: this.#source.arn,
      },
    };
    try {
      await deliverer.deliver(this.#mapping.onFailureArn, JSON.stringify(body));
    } catch (error) {
      context.log(`lambda: the failure record did not reach ${this.#mapping.onFailureArn}: ${String(error)}`);
    }
  }
}
