import type { AttributeValue } from '@aws-sdk/client-dynamodb-streams';
import type { StreamRecord } from './streamSource.ts';

type Item = Readonly<Record<string, AttributeValue>>;

/** Binary values go into JSON as base64; everything else is JSON already. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

const image = (name: string, item: Item | undefined): object => (item ? { [name]: plain(item) } : {});

/** A stream record in the form a handler sees it. */
export function streamEventRecord(record: StreamRecord, streamArn: string, region: string): object {
  return {
    eventID: record.eventID,
    eventName: record.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(record.createdMs / 1000),
      ...image('Keys', record.keys),
      ...image('NewImage', record.newImage),
      ...image('OldImage', record.oldImage),
      SequenceNumber: record.sequenceNumber,
      SizeBytes: record.sizeBytes,
      StreamViewType: record.viewType,
    },
    ...(record.userIdentity ? { userIdentity: record.userIdentity } : {}),
    eventSourceARN: streamArn,
  };
}
