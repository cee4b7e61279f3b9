import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { acceptRequest } from '../../layers/control/accept.ts';
import { taskRejected } from '../../layers/control/announce.ts';
import { declareClusters } from '../../layers/control/declareClusters.ts';
import type { Cluster } from '../../layers/domain/model/pool.ts';
import { parseIncoming } from '../../layers/events/incoming.ts';
import type { Definitions } from '../../layers/ports/containers.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { processBatch } from '../../layers/runtime/sqsBatch.ts';

export type AcceptDeps = Pick<Deps, 'store' | 'bus' | 'clock' | 'log' | 'metrics' | 'settings'> & {
  readonly containers: Definitions;
};

/** `Task Requested` events from the launch queue: each becomes tasks on record, or a `Task Rejected` that says why. */
export function createHandler(deps: AcceptDeps, clusters: readonly Cluster[] = []) {
  const declared = declareClusters(deps, clusters);
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    await declared();
    return processBatch(deps, event, (body) => accept(deps, body), {
      remainingMs: () => context.getRemainingTimeInMillis(),
    });
  };
}

async function accept(deps: AcceptDeps, body: unknown): Promise<void> {
  const { bus, log, metrics } = deps;
  const parsed = parseIncoming(body);
  switch (parsed.kind) {
    case 'task-requested': {
      const { eventId, source, request } = parsed;
      const origin = { source, idempotencyKey: request.idempotencyKey ?? eventId };
      const acceptance = await acceptRequest(deps, request, origin);
      if (acceptance.outcome === 'accepted') return;
      log.warn('A request was rejected', { eventId, source, problems: acceptance.problems });
      metrics.count('TasksRejected');
      await bus.publish([
        taskRejected({ eventId, cluster: request.cluster, ...origin }, acceptance.problems),
      ]);
      return;
    }
    case 'task-refused': {
      const { problems, kind: _, time: __, ...origin } = parsed;
      log.warn('A request was rejected', { ...origin, problems });
      metrics.count('TasksRejected');
      await bus.publish([taskRejected(origin, problems)]);
      return;
    }
    case 'malformed':
      log.error('An event is not of its documented shape', {
        parser: parsed.parser,
        problems: parsed.problems,
      });
      metrics.count('MalformedEvents');
      return;
    default:
      log.warn('An event of another kind came to the launch queue', { kind: parsed.kind });
      metrics.count('UnknownEvents');
  }
}
