import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Wakes } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';

export interface WakesOptions {
  readonly sqs: Pick<SQSClient, 'send'>;
  /** FIFO, group = cluster: one pass at a time. */
  readonly wakeQueueUrl: string;
  /** FIFO, group = cluster. */
  readonly provisionQueueUrl: string;
  /** Standard, consumed by the scheduler as well: SQS delays single messages in no FIFO queue. */
  readonly lateWakeQueueUrl: string;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** SQS's bound; a pass that comes earlier than asked finds out and asks again. */
const MAX_DELAY_SECONDS = 900;
/** A body may be 256 KiB; ids that are left out are found by the queue's index or by `reconcile`. */
const MAX_TASK_IDS = 2_000;

const bodyOf = (
  cluster: string,
  reason: string,
  taskIds: readonly string[] = [],
  changedHosts: readonly string[] | undefined = undefined,
): string => JSON.stringify({ cluster, reason, taskIds: taskIds.slice(0, MAX_TASK_IDS), changedHosts });

/** The waking half of the bus port, on SQS. */
export function createWakes(options: WakesOptions): Wakes {
  const { sqs, clock, ids } = options;
  const later = createLaterMemory(clock);

  /**
   * Every message has an id of its own. Any id that could repeat would be swallowed within five minutes, although its
   * first copy may have been consumed by a pass that had already read the state this one is about.
   */
  const sendFifo = async (queueUrl: string, group: string, body: string): Promise<void> => {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: ids.next(),
      }),
    );
  };

  return {
    wake: async (cluster, reason, { taskIds = [], changedHosts, delayMs = 0 } = {}) => {
      const body = bodyOf(cluster, reason, taskIds, changedHosts);
      if (delayMs <= 0) return sendFifo(options.wakeQueueUrl, cluster, body);
      const delaySeconds = Math.min(MAX_DELAY_SECONDS, Math.ceil(delayMs / 1000));
      const at = clock.now() + delaySeconds * 1000;
      const whole = changedHosts === undefined;
      const namesNone = taskIds.length === 0 && !changedHosts?.length;
      if (namesNone && later.covers(cluster, whole, at)) return;
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: options.lateWakeQueueUrl,
          MessageBody: body,
          DelaySeconds: delaySeconds,
        }),
      );
      later.remember(cluster, whole, at);
    },
    provision: (cluster, reason, { taskIds = [] } = {}) =>
      sendFifo(options.provisionQueueUrl, cluster, bodyOf(cluster, reason, taskIds)),
  };
}

/**
 * The next delayed wake of each cluster. Each pass of a waiting cluster asks for one; without this every wake from
 * elsewhere would start a chain of its own, and the chains would never end. One that comes earlier than asked covers a
 * later one, because the pass it starts asks again; one that sees all hosts (`whole`) covers one that need not.
 */
function createLaterMemory(clock: Clock) {
  const next = new Map<string, number>();
  const has = (key: string, at: number): boolean => {
    const known = next.get(key) ?? 0;
    return known > clock.now() && known <= at;
  };
  const covers = (cluster: string, whole: boolean, at: number): boolean =>
    has(`${cluster}/true`, at) || (!whole && has(`${cluster}/false`, at));
  return {
    covers,
    remember: (cluster: string, whole: boolean, at: number): void => {
      if (!covers(cluster, whole, at)) next.set(`${cluster}/${whole}`, at);
    },
  };
}
