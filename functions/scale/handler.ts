import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { declareClusters } from '../../layers/control/declareClusters.ts';
import { type ScaleOutcome, type ScaleWorld, scaleByAlarm } from '../../layers/control/scale.ts';
import type { Cluster } from '../../layers/domain/model/pool.ts';
import { parseIncoming } from '../../layers/events/incoming.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { processBatch } from '../../layers/runtime/sqsBatch.ts';

export type ScaleDeps = ScaleWorld & Pick<Deps, 'clock' | 'log' | 'metrics' | 'settings'>;

const isQueued = (event: unknown): event is SQSEvent => {
  const first = (event as Partial<SQSEvent> | null)?.Records?.[0];
  return first?.eventSource === 'aws:sqs';
};

/** Alarms in all three ways they come: events from a queue, an SNS topic's notifications, and the alarm's own call. */
export function createHandler(deps: ScaleDeps, clusters: readonly Cluster[] = []) {
  const declared = declareClusters(deps, clusters);
  return async (
    event: unknown,
    context: Context,
  ): Promise<SQSBatchResponse | { readonly outcomes: ScaleOutcome[] }> => {
    await declared();
    if (isQueued(event)) {
      return processBatch(deps, event, async (body) => void (await scale(deps, body)), {
        remainingMs: () => context.getRemainingTimeInMillis(),
      });
    }
    const records = (event as { readonly Records?: readonly unknown[] } | null)?.Records;
    const single = records === undefined ? [event] : records.map((record) => ({ Records: [record] }));
    const outcomes: ScaleOutcome[] = [];
    for (const alarm of single) outcomes.push(await scale(deps, alarm));
    return { outcomes };
  };
}

async function scale(deps: ScaleDeps, event: unknown): Promise<ScaleOutcome> {
  const parsed = parseIncoming(event);
  if (parsed.kind === 'alarm') {
    const outcome = await scaleByAlarm(deps, parsed.change);
    deps.log.info('Alarm', { alarm: parsed.change.alarmName, state: parsed.change.state, ...outcome });
    return outcome;
  }
  const problems = parsed.kind === 'malformed' ? parsed.problems : [];
  deps.log.error('An event is no alarm', { kind: parsed.kind, problems });
  deps.metrics.count(parsed.kind === 'malformed' ? 'MalformedEvents' : 'UnknownEvents');
  return { outcome: 'ignored', detail: `an event of kind ${parsed.kind} is no alarm` };
}
