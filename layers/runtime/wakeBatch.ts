import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { parseWake } from '../events/wake.ts';
import type { BaseDeps } from './deps.ts';

/**
 * As many ids as one pass or purchase reads directly: all that ten messages may name, as no index shows what has just
 * arrived.
 */
const MAX_TASK_IDS = 20_000;

/** With more than these changed a pass reads them all. */
const MAX_CHANGED_HOSTS = 200;

/** What a batch's messages about one cluster say together. */
export interface MergedWake {
  readonly taskIds: readonly string[];
  /** As in `Wakes.wake`: absent when any of them asks for all hosts to be seen. */
  readonly changedHosts?: readonly string[];
}

interface Group {
  readonly messageIds: string[];
  readonly taskIds: Set<string>;
  readonly changedHosts: Set<string>;
  whole: boolean;
}

/**
 * Merges a batch's messages by cluster and does the work once for each. A cluster whose work fails has all its messages
 * delivered again; the others are done with.
 */
export async function processWakes(
  {
    log,
    metrics,
  }: { readonly log: Pick<BaseDeps['log'], 'error'>; readonly metrics: Pick<BaseDeps['metrics'], 'count'> },
  event: SQSEvent,
  context: Context,
  work: (cluster: string, wake: MergedWake) => Promise<void>,
): Promise<SQSBatchResponse> {
  const byCluster = new Map<string, Group>();
  for (const record of event.Records) {
    const wake = parseWake(record.body);
    if (!wake) {
      log.error('A message is not a wake', { messageId: record.messageId, body: record.body.slice(0, 500) });
      metrics.count('MalformedMessages');
      continue;
    }
    const group = byCluster.get(wake.cluster) ?? emptyGroup();
    byCluster.set(wake.cluster, group);
    group.messageIds.push(record.messageId);
    for (const id of wake.taskIds) if (group.taskIds.size < MAX_TASK_IDS) group.taskIds.add(id);
    for (const id of wake.changedHosts ?? []) group.changedHosts.add(id);
    group.whole ||= wake.changedHosts === undefined;
  }
  const failures: string[] = [];
  for (const [cluster, group] of byCluster) {
    try {
      if (context.getRemainingTimeInMillis() < 3_000)
        throw new Error('The invocation has no time left for it');
      await work(cluster, mergedOf(group));
    } catch (error) {
      log.error('The work on a cluster failed and is tried again', {
        cluster,
        error: error instanceof Error ? error : new Error(String(error)),
      });
      metrics.count('FailedMessages', group.messageIds.length);
      failures.push(...group.messageIds);
    }
  }
  return { batchItemFailures: failures.map((itemIdentifier) => ({ itemIdentifier })) };
}

const emptyGroup = (): Group => ({
  messageIds: [],
  taskIds: new Set(),
  changedHosts: new Set(),
  whole: false,
});

const mergedOf = ({ taskIds, changedHosts, whole }: Group): MergedWake => ({
  taskIds: [...taskIds],
  ...(!whole && changedHosts.size <= MAX_CHANGED_HOSTS && { changedHosts: [...changedHosts] }),
});
