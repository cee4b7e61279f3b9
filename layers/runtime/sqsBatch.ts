import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { BaseDeps } from './deps.ts';
import { RefusedInput } from './refusedInput.ts';

type Telemetry = Pick<BaseDeps, 'log' | 'metrics'>;

/** A record is not begun with less time than this: Lambda would cut it off and the whole batch would come again. */
export const MIN_REMAINING_MS = 3_000;
const MAX_LOGGED_BODY = 2_000;

export interface BatchOptions {
  /** `context.getRemainingTimeInMillis`; without it there is no end. */
  readonly remainingMs?: () => number;
  /**
   * Does once, when all records are through, what `handle` left for the end of the batch. Says for which messages that
   * failed, and why: they come again like those that `handle` failed on.
   */
  readonly finish?: () => Promise<ReadonlyMap<string, unknown>>;
}

const groupOf = (record: SQSRecord): string | undefined => record.attributes?.MessageGroupId;

type Outcome = 'done' | 'failed';

async function handleRecord(
  { log, metrics }: Telemetry,
  record: SQSRecord,
  handle: (body: unknown, record: SQSRecord) => Promise<void>,
): Promise<Outcome> {
  const about = { messageId: record.messageId, receives: record.attributes?.ApproximateReceiveCount };
  let body: unknown;
  try {
    body = JSON.parse(record.body);
  } catch {
    // It would read the same the next time: say all that is known of it and let it go.
    log.error('A message is not JSON', { ...about, body: record.body.slice(0, MAX_LOGGED_BODY) });
    metrics.count('MalformedMessages');
    return 'done';
  }
  try {
    await handle(body, record);
    return 'done';
  } catch (error) {
    if (error instanceof RefusedInput) {
      log.warn('Refused', { ...about, problems: error.problems });
      metrics.count('RefusedInputs');
      return 'done';
    }
    noteFailure({ log, metrics }, about, error);
    return 'failed';
  }
}

function noteFailure({ log, metrics }: Telemetry, about: object, error: unknown): void {
  log.error('A message failed and will come again', { ...about, error });
  metrics.count('FailedMessages');
}

/**
 * Handles the records in order and reports those to be delivered again: one that fails does not touch the others. In a
 * FIFO queue everything behind a failure in its group is given back unhandled, so that the group's order is kept.
 * A record may be handled more than once; `handle` has to be repeatable.
 */
export async function processBatch(
  telemetry: Telemetry,
  event: SQSEvent,
  handle: (body: unknown, record: SQSRecord) => Promise<void>,
  options: BatchOptions = {},
): Promise<SQSBatchResponse> {
  const { remainingMs = () => Number.POSITIVE_INFINITY, finish } = options;
  const failures: string[] = [];
  const failedGroups = new Set<string>();
  let late = 0;
  for (const record of event.Records) {
    const group = groupOf(record);
    const behindFailure = group !== undefined && failedGroups.has(group);
    const outOfTime = remainingMs() < MIN_REMAINING_MS;
    if (outOfTime) late += 1;
    const outcome = behindFailure || outOfTime ? 'failed' : await handleRecord(telemetry, record, handle);
    if (outcome === 'done') continue;
    failures.push(record.messageId);
    if (group !== undefined) failedGroups.add(group);
  }
  for (const [messageId, error] of (await finish?.()) ?? []) {
    if (failures.includes(messageId)) continue;
    noteFailure(telemetry, { messageId }, error);
    failures.push(messageId);
  }
  if (late > 0) telemetry.log.warn('Out of time: the rest of the batch will come again', { messages: late });
  return { batchItemFailures: failures.map((itemIdentifier) => ({ itemIdentifier })) };
}
