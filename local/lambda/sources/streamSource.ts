import type { AttributeValue } from '@aws-sdk/client-dynamodb-streams';

/** One change of a table, as DynamoDB Streams hands it out. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  /** Present when the service itself removed the item (time to live). */
  readonly userIdentity?: { readonly type: string; readonly principalId: string };
  readonly sequenceNumber: string;
  /** Epoch ms; the service keeps whole seconds. */
  readonly createdMs: number;
  readonly keys: Readonly<Record<string, AttributeValue>>;
  readonly newImage?: Readonly<Record<string, AttributeValue>>;
  readonly oldImage?: Readonly<Record<string, AttributeValue>>;
  readonly sizeBytes: number;
  readonly viewType: string;
}

/** How far a mapping has come in a shard. */
export interface ShardProgress {
  /** The last record dealt with; absent before the first. */
  readonly sequenceNumber?: string;
  /** The shard takes no more records and all of them are dealt with: its children may be read. */
  readonly finished: boolean;
}

export interface StreamReading {
  progress(shardId: string): ShardProgress;
  /** Where to begin in a shard not seen before. */
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /**
   * Records of one shard in order. The next ones of the shard come after the promise has resolved, which says that there
   * is room for them, not that these are dealt with. A record may come again.
   */
  onRecords(shardId: string, records: readonly StreamRecord[]): Promise<void>;
  /** The shard takes no more records and the last ones have been handed over; `finished` follows when they are done. */
  onEnd(shardId: string): void;
}

/** What an event source mapping needs of a table's stream. */
export interface StreamSource {
  readonly arn: string;
  /** Reads every shard, parents before children, until stopped. */
  read(reading: StreamReading): { stop(): Promise<void> };
}
