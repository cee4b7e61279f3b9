import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { announceTask } from '../../layers/control/announce.ts';
import type { Announcements, OutgoingEvent } from '../../layers/ports/bus.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { taskFromImage } from '../../layers/store/taskItem.ts';

export type PublishDeps = Pick<Deps, 'log' | 'metrics'> & { readonly bus: Announcements };

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

function announcements(record: DynamoDBRecord): OutgoingEvent[] {
  // Lambda's types and the SDK's spell the same JSON differently.
  const after = record.dynamodb?.NewImage as Image | undefined;
  const before = record.dynamodb?.OldImage as Image | undefined;
  const task = after && taskFromImage(after);
  if (!task) return [];
  return announceTask(before && taskFromImage(before), task);
}
