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

/** With more than these changed a pass had better read them all. */
const MAX_CHANGED_HOSTS = 200;

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
      const changed =
        changedHosts !== undefined && changedHosts.length <= MAX_CHANGED_HOSTS ? changedHosts : undefined;
      const body = bodyOf(cluster, reason, taskIds, changed);
      if (delayMs <= 0) return sendFifo(options.wakeQueueUrl, cluster, body);
      const delaySeconds = Math.min(MAX_DELAY_SECONDS, Math.ceil(delayMs / 1000));
      const at = clock.now() + delaySeconds * 1000;
      const names = taskIds.length > 0 || (changed !== undefined && changed.length > 0);
      const chain = { cluster, whole: changed === undefined };
      if (!names && later.covers(chain, at)) return;
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: options.lateWakeQueueUrl,
          MessageBody: body,
          DelaySeconds: delaySeconds,
        }),
      );
      later.remember(chain, at);
    },
    provision: (cluster, reason, { taskIds = [] } = {}) =>
      sendFifo(options.provisionQueueUrl, cluster, bodyOf(cluster, reason, taskIds)),
  };
}

/** Whether the passes of a chain have to see all hosts. */
interface Chain {
  readonly cluster: string;
  readonly whole: boolean;
}

/**
 * The next delayed wake of each cluster. Each pass of a waiting cluster asks for one; without this every wake from
 * elsewhere would start a chain of its own, and the chains would never end. One that comes earlier than asked covers a
 * later one, because the pass it starts asks again; one that sees all hosts covers one that need not.
 */
function createLaterMemory(clock: Clock) {
  const next = new Map<string, number>();
  const keyOf = (cluster: string, whole: boolean): string => `${cluster}/${whole ? 'whole' : 'part'}`;
  const has = (key: string, at: number): boolean => {
    const known = next.get(key);
    return known !== undefined && known > clock.now() && known <= at;
  };
  const covers = ({ cluster, whole }: Chain, at: number): boolean =>
    has(keyOf(cluster, true), at) || (!whole && has(keyOf(cluster, false), at));
  return {
    covers,
    remember: (chain: Chain, at: number): void => {
      if (!covers(chain, at)) next.set(keyOf(chain.cluster, chain.whole), at);
    },
  };
}
