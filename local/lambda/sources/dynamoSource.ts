import type { _Record, DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Checkpoint } from '../../dynamodb/checkpoint.ts';
import { StreamReader } from '../../dynamodb/streamReader.ts';
import type { EngineClock } from '../../engine/clock.ts';
import type { Collection } from '../../engine/state.ts';
import type { ShardProgress, StreamReading, StreamRecord, StreamSource } from './streamSource.ts';

export interface DynamoSourceOptions {
  readonly client: Pick<DynamoDBStreamsClient, 'send'>;
  readonly clock: EngineClock;
  readonly log: (line: string) => void;
  /** Calls its listener after each write to the database, so that the reader need not wait for its next poll. */
  readonly onWrite?: (listener: () => void) => () => void;
}

/** What one read takes; the mapping makes its own batches of it. */
const READ_SIZE = 1_000;

function streamRecord({ eventID, eventName, userIdentity, dynamodb }: _Record): StreamRecord {
  const { ApproximateCreationDateTime: created, NewImage: newImage, OldImage: oldImage } = dynamodb ?? {};
  return {
    eventID: eventID ?? '',
    eventName: eventName ?? 'MODIFY',
    sequenceNumber: dynamodb?.SequenceNumber ?? '0',
    createdMs: created?.getTime() ?? 0,
    keys: dynamodb?.Keys ?? {},
    ...(newImage ? { newImage } : {}),
    ...(oldImage ? { oldImage } : {}),
    sizeBytes: dynamodb?.SizeBytes ?? 0,
    viewType: dynamodb?.StreamViewType ?? '',
    ...(userIdentity?.Type && userIdentity.PrincipalId
      ? { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }
      : {}),
  };
}

/**
 * The reader keeps its progress by what it has handed over; the mapping counts only what the function has dealt with.
 * So the reader gets the mapping's progress to read, and of what it writes only the end of a shard is passed on.
 */
class MappingProgress implements Collection<Checkpoint> {
  readonly #reading: StreamReading;

  constructor(reading: StreamReading) {
    this.#reading = reading;
  }

  get(key: string): ShardProgress {
    return this.#reading.progress(shardOf(key));
  }

  set(key: string, { finished }: Checkpoint): void {
    if (finished) this.#reading.onEnd(shardOf(key));
  }

  delete(): boolean {
    return false;
  }

  *values(): IterableIterator<Checkpoint> {}

  *entries(): IterableIterator<[string, Checkpoint]> {}

  readonly size = 0;
}

/** The reader's keys end with the shard's id. */
const shardOf = (key: string): string => key.slice(key.lastIndexOf('|') + 1);

/** A stream of the embedded DynamoDB as an event source. */
export const dynamoSource = (options: DynamoSourceOptions, streamArn: string): StreamSource => ({
  arn: streamArn,
  read(reading) {
    const reader = new StreamReader({
      client: options.client,
      streamArn,
      consumer: 'mapping',
      checkpoints: new MappingProgress(reading),
      clock: options.clock,
      batchSize: READ_SIZE,
      startAt: reading.startingPosition,
      log: options.log,
      onRecords: async ({ shardId, records }) => {
        await reading.onRecords(shardId, records.map(streamRecord));
        return undefined;
      },
    });
    const unlisten = options.onWrite?.(() => reader.wake());
    reader.start();
    return {
      async stop() {
        unlisten?.();
        await reader.stop();
      },
    };
  },
});
