import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { ServiceError } from '../engine/service.ts';

const MAXIMUM_ENTRIES = 10;

interface Identified {
  readonly Id: string | undefined;
}

/** The checks that refuse a batch as a whole. */
export function checkBatch<E extends Identified>(
  entries: readonly E[] | undefined,
  shape: string,
): readonly E[] {
  if (entries === undefined || entries.length === 0) {
    throw new ServiceError('EmptyBatchRequest', `There should be at least one ${shape} in the request.`);
  }
  if (entries.length > MAXIMUM_ENTRIES) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAXIMUM_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const { Id: id } of entries) {
    if (id === undefined || !/^[\w-]{1,80}$/.test(id)) {
      throw new ServiceError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      );
    }
    if (seen.has(id)) throw new ServiceError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    seen.add(id);
  }
  return entries;
}

/** Does each entry by itself: one that is refused does not stop the others. */
export function settleBatch<E extends Identified, R>(
  entries: readonly E[],
  one: (entry: E) => R,
): { readonly done: R[]; readonly failed: BatchResultErrorEntry[] } {
  const done: R[] = [];
  const failed: BatchResultErrorEntry[] = [];
  for (const entry of entries) {
    try {
      done.push(one(entry));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { code, message, statusCode } = error;
      failed.push({ Id: entry.Id, Code: code, Message: message, SenderFault: statusCode < 500 });
    }
  }
  return { done, failed };
}
