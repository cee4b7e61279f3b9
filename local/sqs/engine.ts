import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { EngineContext, Service } from '../engine/service.ts';
import { everything } from './message.ts';
import { messageOperations } from './messageOperations.ts';
import { Moves } from './moves.ts';
import type { Queue } from './queue.ts';
import { queueOperations } from './queueOperations.ts';
import { Registry } from './registry.ts';
import { prepare, send } from './send.ts';

export interface SendOptions {
  readonly messageGroupId?: string;
  readonly messageDeduplicationId?: string;
  readonly messageAttributes?: Readonly<Record<string, MessageAttributeValue>>;
}

/** SQS: the service, and what other engines use of it by queue ARN, without the wire. Unknown queues throw QueueDoesNotExist. */
export interface Sqs {
  readonly service: Service;
  /** Sends a message; it is stored when the call returns. */
  send(queueArn: string, body: string, options?: SendOptions): void;
  /**
   * Calls `listener` soon after messages became receivable: once for all that came in the same turn, and again after
   * every later change. A listener that leaves messages behind (at its concurrency limit) asks `receive` by itself when
   * it can take more. Returns how to stop.
   */
  subscribe(queueArn: string, listener: () => void): () => void;
  /** Receives up to `max` messages with all their attributes, none when there are none. The queue's own timeout by default. */
  receive(
    queueArn: string,
    options: { readonly max: number; readonly visibilityTimeoutMs?: number },
  ): Message[];
  /** Deletes by receipt handle, as DeleteMessage does. */
  delete(queueArn: string, receiptHandle: string): void;
  /** Sets the time from now until the message is visible again, as ChangeMessageVisibility does; 0 is at once. */
  changeVisibility(queueArn: string, receiptHandle: string, timeoutMs: number): void;
  /** What an event source mapping and a metric need to know of a queue. */
  describe(queueArn: string): QueueSummary;
  /** Every queue there is. */
  queues(): readonly QueueSummary[];
  /** Ends timers and long polls. */
  stop(): void;
}

export interface QueueSummary {
  readonly name: string;
  readonly url: string;
  readonly fifo: boolean;
  readonly visibilityTimeoutMs: number;
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** Epoch ms; absent when the queue is empty. */
  readonly oldestSentAtMs?: number;
}

/** `baseUrl` is what queue URLs start with, e.g. `http://127.0.0.1:4566`. */
export function createSqs(context: EngineContext, { baseUrl }: { readonly baseUrl: string }): Sqs {
  const registry = new Registry(context, baseUrl);
  const moves = new Moves(registry);
  const service: Service = {
    signingName: 'sqs',
    operations: {
      ...queueOperations(registry),
      ...messageOperations(registry),
      StartMessageMoveTask: moves.start.bind(moves),
      ListMessageMoveTasks: moves.list.bind(moves),
      CancelMessageMoveTask: moves.cancel.bind(moves),
    },
  };
  const summaryOf = (queue: Queue): QueueSummary => {
    const { name, counts, settings } = queue;
    const { fifo, visibilityTimeoutMs } = settings;
    const { oldestSentAtMs } = queue;
    return {
      name,
      url: registry.url(queue),
      fifo,
      visibilityTimeoutMs,
      ...counts,
      ...(oldestSentAtMs === undefined ? {} : { oldestSentAtMs }),
    };
  };
  return {
    service,
    send(queueArn, body, options = {}) {
      const queue = registry.byArn(queueArn);
      const prepared = prepare(queue, {
        MessageBody: body,
        MessageGroupId: options.messageGroupId,
        MessageDeduplicationId: options.messageDeduplicationId,
        MessageAttributes: options.messageAttributes,
      });
      send(registry, queue, prepared);
      queue.flush();
    },
    subscribe(queueArn, listener) {
      const queue = registry.byArn(queueArn);
      const stop = queue.waiters.listen(listener);
      queue.flush();
      return stop;
    },
    receive(queueArn, { max, visibilityTimeoutMs }) {
      const queue = registry.byArn(queueArn);
      const timeoutMs = visibilityTimeoutMs ?? queue.settings.visibilityTimeoutMs;
      return queue.take({ max, visibilityTimeoutMs: timeoutMs, shown: everything });
    },
    delete: (queueArn, receiptHandle) => registry.byArn(queueArn).delete(receiptHandle),
    changeVisibility: (queueArn, receiptHandle, timeoutMs) =>
      registry.byArn(queueArn).changeVisibility(receiptHandle, timeoutMs),
    describe: (queueArn) => summaryOf(registry.byArn(queueArn)),
    queues: () => [...registry.all()].map(summaryOf),
    stop() {
      moves.stop();
      for (const queue of registry.all()) queue.stop();
    },
  };
}
