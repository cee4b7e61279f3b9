import type { IncomingHttpHeaders } from 'node:http';

/** DynamoDB's own bound on a request (BatchWriteItem: 16 MB), with room for the JSON around it. */
export const MAX_BODY_BYTES = 24 * 1024 * 1024;

/** `PutItem` of `DynamoDB_20120810.PutItem`; empty when the request names none. */
export function operationOf(headers: IncomingHttpHeaders): string {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? target.slice(target.lastIndexOf('.') + 1) : '';
}

const WRITES = new Set([
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'TransactWriteItems',
  'ExecuteStatement',
  'BatchExecuteStatement',
  'ExecuteTransaction',
]);

/** Whether an operation may leave something in a stream. */
export function mayWrite(operation: string): boolean {
  return WRITES.has(operation);
}

const READS = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);

/** Whether the real service may answer this request from before the latest write. */
export function mayBeStale(operation: string, body: Buffer): boolean {
  return READS.has(operation) && !/"ConsistentRead"\s*:\s*true/.test(body.toString('latin1'));
}
