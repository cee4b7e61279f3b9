import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import type { EngineClock } from '../engine/clock.ts';
import type { Collection } from '../engine/state.ts';
import { type Checkpoint, Checkpoints } from './checkpoint.ts';
import { Pause } from './pause.ts';
import { type BatchHandler, ShardReader } from './shardReader.ts';

export interface StreamReaderOptions {
  readonly client: Pick<DynamoDBStreamsClient, 'send'>;
  readonly streamArn: string;
  /** Whose checkpoints these are, e.g. the event source mapping's UUID. */
  readonly consumer: string;
  /** Kept in the engine's state, so that a restart goes on where it was. */
  readonly checkpoints: Collection<Checkpoint>;
  readonly clock: EngineClock;
  /** Most records handed over at once; 1 to 1,000, which is GetRecords' own bound. */
  readonly batchSize: number;
  /** Where a reader without a checkpoint begins. */
  readonly startAt?: 'TRIM_HORIZON' | 'LATEST';
  readonly onRecords: BatchHandler;
  readonly log: (line: string) => void;
}

const MIN_DISCOVERY_MS = 100;
const MAX_DISCOVERY_MS = 2_000;
/** DescribeStream pages; a stream has a handful of shards, a retention's worth at most. */
const MAX_PAGES = 100;

/**
 * Follows a table's stream like a Lambda event source mapping: shards side by side, records of a shard in order, parents
 * before children, every record at least once. A batch that fails is tried again until it is dealt with.
 */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #checkpoints: Checkpoints;
  readonly #pause: Pause;
  readonly #readers = new Map<string, ShardReader>();
  readonly #running = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;
  #stopped = false;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#checkpoints = new Checkpoints(options.checkpoints, options.consumer, options.streamArn);
    this.#pause = new Pause(options.clock);
  }

  start(): void {
    this.#loop ??= this.#discoverForEver();
  }

  /** Something was written: poll now. Cheap enough to call at every write. */
  wake(): void {
    for (const reader of this.#readers.values()) reader.wake();
  }

  /** Resolves when the batches in hand are through. What was not dealt with comes again after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pause.wake();
    for (const reader of this.#readers.values()) reader.stop();
    await this.#loop;
    await Promise.all(this.#running);
  }

  /** Shards appear when the stream does and when one closes; in between there is nothing to discover. */
  async #discoverForEver(): Promise<void> {
    let retryMs = MIN_DISCOVERY_MS;
    while (!this.#stopped) {
      try {
        this.#startReaders(await this.#listShards());
        if (this.#readers.size > 0) {
          await this.#pause.wait();
          retryMs = MIN_DISCOVERY_MS;
          continue;
        }
      } catch (error) {
        if (retryMs === MIN_DISCOVERY_MS) {
          this.#options.log(`cannot list the shards of ${this.#options.streamArn}: ${String(error)}`);
        }
      }
      await this.#pause.wait(retryMs);
      retryMs = Math.min(retryMs * 2, MAX_DISCOVERY_MS);
    }
  }

  async #listShards(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let lastId: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { StreamDescription: stream } = await this.#options.client.send(
        new DescribeStreamCommand({
          StreamArn: this.#options.streamArn,
          ...(lastId === undefined ? {} : { ExclusiveStartShardId: lastId }),
        }),
      );
      shards.push(...(stream?.Shards ?? []));
      lastId = stream?.LastEvaluatedShardId;
      if (lastId === undefined) return shards;
    }
    throw new Error(`more than ${MAX_PAGES} pages of shards`);
  }

  #startReaders(shards: readonly Shard[]): void {
    if (this.#stopped) return;
    const known = new Set(shards.map(({ ShardId }) => ShardId));
    for (const { ShardId: shardId, ParentShardId: parent } of shards) {
      if (shardId === undefined || this.#readers.has(shardId)) continue;
      if (this.#checkpoints.get(shardId).finished) continue;
      // A parent that is no longer listed was trimmed away: nothing of it is left to be read first.
      const parentOpen = parent !== undefined && known.has(parent) && !this.#checkpoints.get(parent).finished;
      if (parentOpen) continue;
      // A child goes on where its parent ended: LATEST would skip what it got before it was found.
      const isChild = parent !== undefined && this.#checkpoints.get(parent).finished;
      this.#startReader(shardId, isChild ? 'TRIM_HORIZON' : (this.#options.startAt ?? 'TRIM_HORIZON'));
    }
  }

  #startReader(shardId: string, startAt: 'TRIM_HORIZON' | 'LATEST'): void {
    const { client, streamArn, clock, batchSize, onRecords, log } = this.#options;
    const reader = new ShardReader({
      client,
      streamArn,
      shardId,
      checkpoints: this.#checkpoints,
      clock,
      batchSize,
      startAt,
      onRecords,
      log,
    });
    this.#readers.set(shardId, reader);
    const running = reader.run().finally(() => {
      this.#readers.delete(shardId);
      this.#running.delete(running);
      this.#pause.wake();
    });
    this.#running.add(running);
  }
}
