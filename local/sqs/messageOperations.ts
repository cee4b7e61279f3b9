import type {
  ChangeMessageVisibilityBatchCommandInput,
  ChangeMessageVisibilityBatchResult,
  ChangeMessageVisibilityCommandInput,
  DeleteMessageBatchCommandInput,
  DeleteMessageBatchResult,
  DeleteMessageCommandInput,
  Message,
  ReceiveMessageCommandInput,
  ReceiveMessageResult,
  SendMessageBatchCommandInput,
  SendMessageBatchResult,
  SendMessageBatchResultEntry,
  SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { type CallContext, ServiceError } from '../engine/service.ts';
import { checkBatch, settleBatch } from './batch.ts';
import { missingParameter, wholeNumber } from './errors.ts';
import { shownByNames } from './message.ts';
import { MAXIMUM_IN_FLIGHT, type Queue } from './queue.ts';
import type { Registry } from './registry.ts';
import { prepare, type Sent, send } from './send.ts';
import { MAXIMUM_MESSAGE_BYTES } from './settings.ts';

/** The operations on messages. */
export function messageOperations(registry: Registry) {
  return {
    SendMessage(input: SendMessageCommandInput): Sent {
      const queue = registry.byUrl(input.QueueUrl);
      const sent = send(registry, queue, prepare(queue, input));
      queue.flush();
      return sent;
    },

    SendMessageBatch({ QueueUrl, Entries }: SendMessageBatchCommandInput): SendMessageBatchResult {
      const queue = registry.byUrl(QueueUrl);
      const entries = checkBatch(Entries, 'SendMessageBatchRequestEntry');
      let bytes = 0;
      const { done: prepared, failed } = settleBatch(entries, (entry) => {
        const message = prepare(queue, entry);
        bytes += message.bytes;
        return { id: entry.Id, message };
      });
      if (bytes > MAXIMUM_MESSAGE_BYTES) {
        throw new ServiceError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than ${MAXIMUM_MESSAGE_BYTES} bytes. You have sent ${bytes} bytes.`,
        );
      }
      const Successful = registry.context.state.atomically(() =>
        prepared.map(({ id, message }): SendMessageBatchResultEntry => {
          const sent = send(registry, queue, message);
          return { ...sent, Id: id, MessageId: sent.MessageId, MD5OfMessageBody: sent.MD5OfMessageBody };
        }),
      );
      queue.flush();
      return { Successful, Failed: failed };
    },

    async ReceiveMessage(
      input: ReceiveMessageCommandInput,
      call: CallContext,
    ): Promise<ReceiveMessageResult> {
      const queue = registry.byUrl(input.QueueUrl);
      const Messages = await receive(queue, input, call.signal);
      return Messages.length === 0 ? {} : { Messages };
    },

    DeleteMessage({ QueueUrl, ReceiptHandle }: DeleteMessageCommandInput): void {
      registry.byUrl(QueueUrl).delete(checkReceipt(ReceiptHandle));
    },

    DeleteMessageBatch({ QueueUrl, Entries }: DeleteMessageBatchCommandInput): DeleteMessageBatchResult {
      const queue = registry.byUrl(QueueUrl);
      const { done, failed } = settleBatch(checkBatch(Entries, 'DeleteMessageBatchRequestEntry'), (entry) => {
        queue.delete(checkReceipt(entry.ReceiptHandle));
        return { Id: entry.Id };
      });
      return { Successful: done, Failed: failed };
    },

    ChangeMessageVisibility(input: ChangeMessageVisibilityCommandInput): void {
      const queue = registry.byUrl(input.QueueUrl);
      queue.changeVisibility(checkReceipt(input.ReceiptHandle), visibilityMs(input.VisibilityTimeout));
    },

    ChangeMessageVisibilityBatch({
      QueueUrl,
      Entries,
    }: ChangeMessageVisibilityBatchCommandInput): ChangeMessageVisibilityBatchResult {
      const queue = registry.byUrl(QueueUrl);
      const entries = checkBatch(Entries, 'ChangeMessageVisibilityBatchRequestEntry');
      const { done, failed } = settleBatch(entries, (entry) => {
        queue.changeVisibility(checkReceipt(entry.ReceiptHandle), visibilityMs(entry.VisibilityTimeout));
        return { Id: entry.Id };
      });
      return { Successful: done, Failed: failed };
    },
  };
}

/**
 * ReceiveRequestAttemptId is accepted and has no effect: it lets a FIFO consumer repeat a receive whose answer was
 * lost, and the embedded service's answers are not lost between the processes of one machine.
 */
async function receive(
  queue: Queue,
  input: ReceiveMessageCommandInput,
  signal: AbortSignal | undefined,
): Promise<Message[]> {
  const { settings } = queue;
  const max = wholeNumber(
    input.MaxNumberOfMessages ?? 1,
    'MaxNumberOfMessages',
    1,
    10,
    'Must be between 1 and 10, if provided.',
  );
  const waitMs =
    input.WaitTimeSeconds === undefined
      ? settings.receiveWaitMs
      : wholeNumber(input.WaitTimeSeconds, 'WaitTimeSeconds', 0, 20, 'Must be >= 0 and <= 20, if provided.') *
        1000;
  const visibilityTimeoutMs =
    input.VisibilityTimeout === undefined
      ? settings.visibilityTimeoutMs
      : visibilityMs(input.VisibilityTimeout);
  const systemNames = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
  const shown = shownByNames(systemNames, input.MessageAttributeNames);
  const options = { max, visibilityTimeoutMs, shown };
  // Nobody is left to delete what a caller who has hung up would receive.
  if (signal?.aborted === true) return [];
  const messages = queue.take(options);
  if (messages.length > 0) return messages;
  if (waitMs > 0) return queue.waiters.poll(options, waitMs, signal);
  if (!settings.fifo && queue.counts.inFlight >= MAXIMUM_IN_FLIGHT) {
    throw new ServiceError('OverLimit', `Too many messages in flight on ${queue.name}.`, 403);
  }
  return [];
}

function checkReceipt(receipt: string | undefined): string {
  if (receipt === undefined || receipt === '') throw missingParameter('ReceiptHandle');
  return receipt;
}

function visibilityMs(timeoutSeconds: number | undefined): number {
  if (timeoutSeconds === undefined) throw missingParameter('VisibilityTimeout');
  return (
    wholeNumber(
      timeoutSeconds,
      'VisibilityTimeout',
      0,
      43_200,
      'VisibilityTimeout must be an integer between 0 and 43200',
    ) * 1000
  );
}
