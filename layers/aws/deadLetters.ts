import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import type { DeadLetter, DeadLetters } from '../ports/deadLetters.ts';

/** A dead-letter queue and the queue its messages came from; without one there is no way back. */
export interface DeadLetterQueue {
  readonly url: string;
  readonly source?: string;
}

export interface DeadLettersOptions {
  readonly sqs: Pick<SQSClient, 'send'>;
  readonly queues: Readonly<Record<string, DeadLetterQueue>>;
  /** A receive that waits asks all of the service's servers, one that does not only some. */
  readonly waitSeconds?: number;
}

/** How long a message that was looked at stays hidden when it cannot be put back. */
const HIDDEN_SECONDS = 30;
/** A queue is searched so far: a thousand messages. */
const MAX_RECEIVES = 100;

/** The dead letters on SQS. */
export function createDeadLetters({ sqs, queues, waitSeconds = 1 }: DeadLettersOptions): DeadLetters {
  const queueOf = (name: string): DeadLetterQueue => {
    const queue = queues[name];
    if (queue === undefined) throw new RangeError(`There is no dead-letter queue ${name}.`);
    return queue;
  };
  const attributesOf = async (QueueUrl: string) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};

  /** Receives until enough are at hand or `wanted` is; all but the wanted one are visible again when it returns. */
  const receive = async (url: string, limit: number, wanted?: string): Promise<Message[]> => {
    const seen = new Map<string, Message>();
    const back: Message[] = [];
    try {
      for (let round = 0; round < MAX_RECEIVES && seen.size < limit; round++) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: HIDDEN_SECONDS,
            WaitTimeSeconds: waitSeconds,
            MessageSystemAttributeNames: ['All'],
            MessageAttributeNames: ['All'],
          }),
        );
        for (const message of Messages) {
          if (message.MessageId !== wanted) back.push(message);
          seen.set(message.MessageId ?? '', message);
        }
        if (Messages.length === 0 || (wanted !== undefined && seen.has(wanted))) break;
      }
    } finally {
      await putBack(url, back);
    }
    return [...seen.values()].slice(0, Math.max(limit, 0));
  };

  const putBack = async (url: string, messages: readonly Message[]): Promise<void> => {
    for (let start = 0; start < messages.length; start += 10) {
      const Entries = messages.slice(start, start + 10).map(({ ReceiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: 0,
      }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
    }
  };

  const take = async (url: string, messageId: string): Promise<Message | undefined> =>
    (await receive(url, Number.POSITIVE_INFINITY, messageId)).find(
      ({ MessageId }) => MessageId === messageId,
    );

  return {
    queues: Object.keys(queues),
    async count(queue) {
      const attributes = await attributesOf(queueOf(queue).url);
      return {
        queue,
        messages: Number(attributes.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      };
    },
    list: async (queue, limit) => (await receive(queueOf(queue).url, limit)).map(toLetter),
    async find(queue, messageId) {
      const { url } = queueOf(queue);
      const message = await take(url, messageId);
      if (message === undefined) return undefined;
      await putBack(url, [message]);
      return toLetter(message);
    },
    async redriveAll(queue) {
      const { url, source } = queueOf(queue);
      if (source === undefined) return 'no-way-back';
      const { QueueArn: SourceArn } = await attributesOf(url);
      const { QueueArn: DestinationArn } = await attributesOf(source);
      const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
      if (Results[0]?.Status === 'RUNNING') return 'running';
      // The destination is named: what EventBridge put here itself carries no queue to go back to.
      await sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
      return 'started';
    },
    async redriveOne(queue, messageId) {
      const { url, source } = queueOf(queue);
      if (source === undefined) return 'no-way-back';
      const message = await take(url, messageId);
      if (message === undefined) return 'unknown';
      const group = message.Attributes?.MessageGroupId;
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: source,
          MessageBody: message.Body,
          ...(group !== undefined && {
            MessageGroupId: group,
            MessageDeduplicationId: `redrive-${messageId}`,
          }),
        }),
      );
      await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
      return 'redriven';
    },
  };
}

function toLetter(message: Message): DeadLetter {
  const { MessageId = '', Body = '', Attributes = {}, MessageAttributes = {} } = message;
  const code = MessageAttributes.ERROR_CODE?.StringValue;
  const detail = MessageAttributes.ERROR_MESSAGE?.StringValue;
  return {
    messageId: MessageId,
    body: Body,
    sentAt: Number(Attributes.SentTimestamp ?? 0),
    ...(Attributes.MessageGroupId !== undefined && { group: Attributes.MessageGroupId }),
    ...(code !== undefined && { undelivered: [code, detail].filter(Boolean).join(': ') }),
  };
}
