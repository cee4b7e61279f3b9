import { _Record$, type _Record as StreamRecord } from '@aws-sdk/client-dynamodb-streams';
import { convert, isRecord } from '../wire/convert.ts';
import { sdkToJson } from '../wire/jsonCodec.ts';
import { shapeOf } from '../wire/shape.ts';

/**
 * A stream record as a Lambda function gets it in `event.Records`: binary values in base64, the time in epoch seconds,
 * and the stream's ARN and Region, which the record itself does not have.
 */
export function lambdaRecord(record: StreamRecord, streamArn: string): Record<string, unknown> {
  const json = convert(shapeOf(_Record$), record, sdkToJson);
  const region = streamArn.split(':')[3] ?? '';
  return { ...(isRecord(json) ? json : {}), awsRegion: region, eventSourceARN: streamArn };
}
