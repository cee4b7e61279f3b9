import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import {
  announceEnd,
  announceLeaving,
  announcePool,
  announcePurchase,
  announceTask,
} from '../../layers/control/announce.ts';
import { announceArray, countMember } from '../../layers/control/countMember.ts';
import type { Announcements, OutgoingEvent } from '../../layers/ports/bus.ts';
import type { ArrayStore } from '../../layers/ports/store.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { arrayFromImage } from '../../layers/store/arrays.ts';
import { endedFromImages, leavingFromImages } from '../../layers/store/hostItem.ts';
import { orderFromImage } from '../../layers/store/orders.ts';
import { poolFromImage } from '../../layers/store/pools.ts';
import { taskFromImage } from '../../layers/store/taskItem.ts';

export type PublishDeps = Pick<Deps, 'log' | 'metrics'> & {
  readonly bus: Announcements;
  readonly store: Pick<ArrayStore, 'countArrayMember'>;
};

/** The table's changes, announced in their order; what could not be announced comes again from there on. */
export function createHandler(deps: PublishDeps) {
  return async (event: DynamoDBStreamEvent, _context: Context): Promise<DynamoDBBatchResponse> => {
    let batch: { readonly event: OutgoingEvent; readonly sequence: string }[] = [];
    const flush = async (): Promise<string | undefined> => {
      const sent = batch;
      batch = [];
      try {
        if (sent.length > 0) await deps.bus.publish(sent.map((item) => item.event));
        return undefined;
      } catch (error) {
        deps.log.error('Changes could not be announced and will come again', {
          error: error instanceof Error ? error : new Error(String(error)),
          changes: sent.length,
        });
        return sent[0]?.sequence;
      }
    };
    for (const record of event.Records) {
      const sequence = record.dynamodb?.SequenceNumber ?? '';
      const { before, after } = tasksOf(record);
      try {
        if (after) await countMember(deps.store, before, after);
      } catch (error) {
        deps.log.error('A member of an array could not be counted and will come again', {
          error: error instanceof Error ? error : new Error(String(error)),
          taskId: after?.taskId,
        });
        return { batchItemFailures: [{ itemIdentifier: (await flush()) ?? sequence }] };
      }
      for (const outgoing of announcements(record)) batch.push({ event: outgoing, sequence });
      if (batch.length < 10) continue;
      const failed = await flush();
      if (failed !== undefined) return { batchItemFailures: [{ itemIdentifier: failed }] };
    }
    const failed = await flush();
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
  };
}

type Image = Record<string, AttributeValue>;

// Lambda's types and the SDK's spell the same JSON differently.
const imagesOf = ({ dynamodb }: DynamoDBRecord) => ({
  before: dynamodb?.OldImage as Image | undefined,
  after: dynamodb?.NewImage as Image | undefined,
});

function tasksOf(record: DynamoDBRecord) {
  const { before, after } = imagesOf(record);
  return { before: taskFromImage(before), after: taskFromImage(after) };
}

function announcements(record: DynamoDBRecord): OutgoingEvent[] {
  const { before, after } = tasksOf(record);
  if (after) return announceTask(before, after);
  const images = imagesOf(record);
  const array = arrayFromImage(images.after);
  if (array) return announceArray(arrayFromImage(images.before), array);
  const leaving = leavingFromImages(images.before, images.after);
  if (leaving) return announceLeaving(leaving);
  const ended = endedFromImages(images.before, images.after);
  if (ended) return announceEnd(ended);
  const order = orderFromImage(images.after);
  if (order) return announcePurchase(orderFromImage(images.before), order);
  const pool = poolFromImage(images.after);
  return pool ? announcePool(poolFromImage(images.before), pool) : [];
}
