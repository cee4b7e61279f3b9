import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { observeHost, observeInterruption, observeMachine } from '../../layers/control/observeHost.ts';
import { type Observation, observeTask } from '../../layers/control/observeTask.ts';
import { type Release, Releases } from '../../layers/control/releases.ts';
import { type ParsedEvent, parseIncoming } from '../../layers/events/incoming.ts';
import type { Wakes } from '../../layers/ports/bus.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { processBatch } from '../../layers/runtime/sqsBatch.ts';

export type ObserveDeps = Pick<Deps, 'store' | 'containers' | 'clock' | 'log' | 'metrics'> & {
  readonly bus: Wakes;
};

interface Applied {
  readonly outcome: Observation;
  readonly cluster?: string;
}

/**
 * State changes of ECS and EC2, applied one by one. The claims of the attempts that they end are given back together, and
 * each cluster in which something was freed is woken once, after that.
 */
export function createHandler(deps: ObserveDeps) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const freed = new Set<string>();
    const releases = new Releases(deps);
    const response = await processBatch(
      deps,
      event,
      async (body, { messageId }) => {
        const { outcome, cluster } = await observe(deps, parseIncoming(body), releases.of(messageId));
        deps.metrics.count('Observations', 1, { outcome });
        if (outcome === 'freed' && cluster !== undefined) freed.add(cluster);
      },
      {
        remainingMs: () => context.getRemainingTimeInMillis(),
        finish: async () => (await releases.giveBack()).failed,
      },
    );
    // A wake that is lost here is made good by the next reconcile.
    for (const cluster of freed) await deps.bus.wake(cluster, 'capacity or a queued attempt');
    return response;
  };
}

async function observe(deps: ObserveDeps, event: ParsedEvent, release: Release): Promise<Applied> {
  switch (event.kind) {
    case 'ecs-task':
      return { outcome: await observeTask(deps, event.task, release), cluster: event.task.cluster };
    case 'ecs-host':
      return { outcome: await observeHost(deps, event.host), cluster: event.host.cluster };
    case 'ec2-state':
      return observeMachine(deps, event);
    case 'spot-interruption':
      return observeInterruption(deps, { hostId: event.hostId, kind: 'interruption' });
    case 'rebalance-recommendation':
      return observeInterruption(deps, { hostId: event.hostId, kind: 'rebalance' });
    case 'malformed':
      deps.log.error('An event is not of its documented shape', {
        parser: event.parser,
        problems: event.problems,
      });
      deps.metrics.count('MalformedEvents');
      return { outcome: 'ignored' };
    default:
      deps.log.warn('An event of another kind came to the observe queue', { kind: event.kind });
      deps.metrics.count('UnknownEvents');
      return { outcome: 'ignored' };
  }
}
