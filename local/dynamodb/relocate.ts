import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import type { StoredAnswer } from './exchange.ts';

/** The Region and account that ARNs are to name. */
export interface Place {
  readonly region: string;
  readonly accountId: string;
}

/** The server calls its Region by its own name and takes ARNs of any: only answers need changing. */
const OWN_ARN = 'arn:aws:dynamodb:dynoxide:000000000000:';
const OWN_REGION = '"awsRegion":"dynoxide"';

/** Operations whose answers name a table or stream by ARN, or the Region. No item is in any but the last. */
const NAMING = new Set([
  'CreateTable',
  'DescribeTable',
  'UpdateTable',
  'DeleteTable',
  'ListStreams',
  'DescribeStream',
  'GetRecords',
]);

export function namesPlace(operation: string): boolean {
  return NAMING.has(operation);
}

/** The answer with our Region and account in place of the server's own, and the checksum that clients verify. */
export function relocate(
  answer: StoredAnswer,
  operation: string,
  { region, accountId }: Place,
): StoredAnswer {
  // Latin-1 keeps every byte as it is. In records a quote is escaped, so only the member itself can match.
  const text = answer.body.toString('latin1');
  const moved =
    operation === 'GetRecords'
      ? text.replaceAll(OWN_REGION, `"awsRegion":"${region}"`)
      : text.replaceAll(OWN_ARN, `arn:aws:dynamodb:${region}:${accountId}:`);
  const body = Buffer.from(moved, 'latin1');
  const headers: IncomingHttpHeaders = { ...answer.headers, 'content-length': String(body.length) };
  if (answer.headers['x-amz-crc32'] !== undefined) headers['x-amz-crc32'] = String(crc32(body));
  return { ...answer, headers, body };
}
