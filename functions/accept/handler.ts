import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { acceptRequest, acceptTogether } from '../../layers/control/accept.ts';
import { taskRejected } from '../../layers/control/announce.ts';
import { declareClusters } from '../../layers/control/declareClusters.ts';
import { type Prepared, prepareRequest } from '../../layers/control/prepareRequest.ts';
import type { Cluster } from '../../layers/domain/model/pool.ts';
import { parseIncoming } from '../../layers/events/incoming.ts';
import type { Problem } from '../../layers/events/problem.ts';
import type { TaskRequest } from '../../layers/events/taskRequested/parse.ts';
import type { Definitions } from '../../layers/ports/containers.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { MIN_REMAINING_MS, processBatch } from '../../layers/runtime/sqsBatch.ts';

export type AcceptDeps = Pick<Deps, 'store' | 'bus' | 'clock' | 'log' | 'metrics' | 'settings'> & {
  readonly containers: Definitions;
};

/** A message that asks for tasks. */
interface Requested {
  readonly messageId: string;
  readonly eventId: string;
  readonly request: TaskRequest;
  readonly origin: { readonly source: string; readonly idempotencyKey: string };
}

/**
 * `Task Requested` events from the launch queue: each becomes tasks on record, or a `Task Rejected` that says why. Those of
 * a batch are read first and recorded together; what fails comes again alone.
 */
export function createHandler(deps: AcceptDeps, clusters: readonly Cluster[] = []) {
  const declared = declareClusters(deps, clusters);
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    await declared();
    const remainingMs = () => context.getRemainingTimeInMillis();
    const requested: Requested[] = [];
    const handle = async (body: unknown, { messageId }: { readonly messageId: string }): Promise<void> => {
      const found = await read(deps, body);
      if (found !== undefined) requested.push({ messageId, ...found });
    };
    const hasTime = () => remainingMs() >= MIN_REMAINING_MS;
    return processBatch(deps, event, handle, {
      remainingMs,
      finish: () => acceptBatch(deps, requested, hasTime),
    });
  };
}

/** Returns what went wrong, by message. */
async function acceptBatch(
  deps: AcceptDeps,
  batch: readonly Requested[],
  hasTime: () => boolean,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const each = async (
    messages: readonly Requested[],
    work: (message: Requested) => Promise<void>,
  ): Promise<void> => {
    for (const message of messages) {
      try {
        if (!hasTime()) throw new Error('The invocation has no time left for it');
        await work(message);
      } catch (error) {
        failed.set(message.messageId, error);
      }
    }
  };
  const byCluster = new Map<string, Map<Prepared, Requested>>();
  // What waits for others may wait for those of this batch: it is looked at when they are on record.
  const waiting = batch.filter(({ request }) => request.after.length > 0);
  await each(
    batch.filter((message) => !waiting.includes(message)),
    async (message) => {
      const { request, origin } = message;
      const prepared = await prepareRequest(deps, request, origin);
      if (prepared.outcome === 'rejected') return reject(deps, message, prepared.problems);
      const group = byCluster.get(request.cluster) ?? new Map<Prepared, Requested>();
      byCluster.set(request.cluster, group.set(prepared, message));
    },
  );
  for (const group of byCluster.values()) {
    const messages = [...group.values()];
    const results = await acceptTogether(deps, [...group.keys()], hasTime);
    for (const [index, result] of results.entries()) {
      if (result.outcome === 'failed') failed.set(messages[index]?.messageId ?? '', result.error);
    }
  }
  await each(waiting, async (message) => {
    const acceptance = await acceptRequest(deps, message.request, message.origin);
    if (acceptance.outcome === 'rejected') await reject(deps, message, acceptance.problems);
  });
  return failed;
}

async function reject(
  { bus, log, metrics }: AcceptDeps,
  { eventId, request, origin }: Requested,
  problems: readonly Problem[],
): Promise<void> {
  log.warn('A request was rejected', { eventId, source: origin.source, problems });
  metrics.count('TasksRejected');
  await bus.publish([taskRejected({ eventId, cluster: request.cluster, ...origin }, problems)]);
}

/** The request in a message; what is none, or cannot be read, is dealt with here. */
async function read(
  { bus, log, metrics }: AcceptDeps,
  body: unknown,
): Promise<Omit<Requested, 'messageId'> | undefined> {
  const parsed = parseIncoming(body);
  switch (parsed.kind) {
    case 'task-requested': {
      const { eventId, source, request } = parsed;
      return { eventId, request, origin: { source, idempotencyKey: request.idempotencyKey ?? eventId } };
    }
    case 'task-refused': {
      const { problems, kind: _, time: __, ...origin } = parsed;
      log.warn('A request was rejected', { ...origin, problems });
      metrics.count('TasksRejected');
      await bus.publish([taskRejected(origin, problems)]);
      return undefined;
    }
    case 'malformed':
      log.error('An event is not of its documented shape', {
        parser: parsed.parser,
        problems: parsed.problems,
      });
      metrics.count('MalformedEvents');
      return undefined;
    default:
      log.warn('An event of another kind came to the launch queue', { kind: parsed.kind });
      metrics.count('UnknownEvents');
      return undefined;
  }
}
