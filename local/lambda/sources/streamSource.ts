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

export interface StreamReading {
  /** Sequence number of the last record of this shard that was dealt with; undefined for a shard not seen before. */
  after(shardId: string): string | undefined;
  /** Where to begin in a shard not seen before. */
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /** Records of one shard in order. The next ones of the shard come after the promise has resolved. */
  onRecords(shardId: string, records: readonly StreamRecord[]): Promise<void>;
}

/** What an event source mapping needs of a table's stream. */
export interface StreamSource {
  readonly arn: string;
  /** Reads every shard, parents before children, until stopped. */
  read(reading: StreamReading): { stop(): Promise<void> };
}
