import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { parseWake } from '../events/wake.ts';
import type { BaseDeps } from './deps.ts';

/**
 * As many ids as one pass or purchase reads directly: all that ten messages may name, as no index shows what has just
 * arrived.
 */
const MAX_TASK_IDS = 20_000;

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
  work: (cluster: string, taskIds: readonly string[]) => Promise<void>,
): Promise<SQSBatchResponse> {
  const byCluster = new Map<string, { readonly messageIds: string[]; readonly taskIds: Set<string> }>();
  for (const record of event.Records) {
    const wake = parseWake(record.body);
    if (!wake) {
      log.error('A message is not a wake', { messageId: record.messageId, body: record.body.slice(0, 500) });
      metrics.count('MalformedMessages');
      continue;
    }
    const group = byCluster.get(wake.cluster) ?? { messageIds: [], taskIds: new Set() };
    byCluster.set(wake.cluster, group);
    group.messageIds.push(record.messageId);
    for (const id of wake.taskIds) if (group.taskIds.size < MAX_TASK_IDS) group.taskIds.add(id);
  }
  const failures: string[] = [];
  for (const [cluster, group] of byCluster) {
    try {
      if (context.getRemainingTimeInMillis() < 3_000)
        throw new Error('The invocation has no time left for it');
      await work(cluster, [...group.taskIds]);
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
