import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Observation } from '../../layers/control/observation.ts';
import { observeHost, observeInterruption, observeMachine } from '../../layers/control/observeHost.ts';
import { observeTask } from '../../layers/control/observeTask.ts';
import { type Release, Releases } from '../../layers/control/releases.ts';
import { type ParsedEvent, parseIncoming } from '../../layers/events/incoming.ts';
import type { Wakes } from '../../layers/ports/bus.ts';
import type { ObservedTask } from '../../layers/ports/containers.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { processBatch } from '../../layers/runtime/sqsBatch.ts';

export type ObserveDeps = Pick<Deps, 'store' | 'containers' | 'clock' | 'log' | 'metrics'> & {
  readonly bus: Wakes;
};

interface Applied {
  readonly outcome: Observation;
  readonly cluster?: string;
  /** The only host that it changed. EC2 takes hosts away, and then the pass has to see what is missing. */
  readonly changedHost?: string;
}

/**
 * State changes of ECS and EC2, applied one by one. The claims of the attempts that they end are given back together, and
 * each cluster in which something was freed is woken once, after that, by the names of the hosts that have room again.
 */
export function createHandler(deps: ObserveDeps) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const freed = new Map<string, (string | undefined)[]>();
    const releases = new Releases(deps);
    const response = await processBatch(
      deps,
      event,
      async (body, { messageId }) => {
        const release = releases.of(messageId);
        const { outcome, cluster, changedHost } = await observe(deps, parseIncoming(body), release);
        deps.metrics.count('Observations', 1, { outcome });
        if (outcome === 'freed' && cluster !== undefined)
          freed.set(cluster, [...(freed.get(cluster) ?? []), changedHost]);
      },
      {
        remainingMs: () => context.getRemainingTimeInMillis(),
        finish: async () => (await releases.giveBack()).failed,
      },
    );
    // A wake that is lost here is made good by the next reconcile.
    for (const [cluster, hosts] of freed) {
      const changedHosts = [...new Set(hosts.filter((host) => host !== undefined))];
      await deps.bus.wake(cluster, 'capacity or a queued attempt', {
        ...(!hosts.includes(undefined) && { changedHosts }),
      });
    }
    return response;
  };
}

async function observe(deps: ObserveDeps, event: ParsedEvent, release: Release): Promise<Applied> {
  switch (event.kind) {
    case 'ecs-task':
      return observeEnd(deps, event.task, release);
    case 'ecs-host': {
      const { cluster, hostId: changedHost } = event.host;
      return { outcome: await observeHost(deps, event.host), cluster, changedHost };
    }
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

/** The host that an ended attempt leaves is the one on which its claim is given back. */
async function observeEnd(deps: ObserveDeps, task: ObservedTask, release: Release): Promise<Applied> {
  let changedHost: string | undefined;
  const outcome = await observeTask(deps, task, (ended, failedToStart) => {
    changedHost = ended.hostId;
    return release(ended, failedToStart);
  });
  return { outcome, cluster: task.cluster, ...(changedHost !== undefined && { changedHost }) };
}
