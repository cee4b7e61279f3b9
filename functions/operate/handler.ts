import type { Context } from 'aws-lambda';
import { acceptRequest } from '../../layers/control/accept.ts';
import { declareClusters } from '../../layers/control/declareClusters.ts';
import { cancelTask } from '../../layers/control/operate/cancel.ts';
import { changePool } from '../../layers/control/operate/changePool.ts';
import {
  countDeadLetters,
  explainDeadLetter,
  listDeadLetters,
} from '../../layers/control/operate/deadLetters.ts';
import { drainHost } from '../../layers/control/operate/drain.ts';
import { explainTask } from '../../layers/control/operate/explain.ts';
import { listTasks } from '../../layers/control/operate/list.ts';
import { clusterStatus } from '../../layers/control/operate/status.ts';
import type { Cluster } from '../../layers/domain/model/pool.ts';
import { type OperateCommand, parseOperate } from '../../layers/events/operate/command.ts';
import { changesOf } from '../../layers/events/operate/poolSettings.ts';
import type { Problem } from '../../layers/events/problem.ts';
import type { Wakes } from '../../layers/ports/bus.ts';
import type { OperatedContainers } from '../../layers/ports/containers.ts';
import type { Deps } from '../../layers/runtime/deps.ts';
import { RefusedInput } from '../../layers/runtime/refusedInput.ts';

export type OperateDeps = Pick<
  Deps,
  'store' | 'deadLetters' | 'clock' | 'ids' | 'log' | 'metrics' | 'settings'
> & { readonly bus: Wakes; readonly containers: OperatedContainers };

/** What an operator asks, by `aws lambda invoke`; the answer is the command's result, or what was wrong with it. */
export function createHandler(deps: OperateDeps, clusters: readonly Cluster[] = []) {
  const declared = declareClusters(deps, clusters);
  return async (event: unknown, _context: Context): Promise<unknown> => {
    const parsed = parseOperate(event);
    if (!parsed.ok) throw new RefusedInput(parsed.problems);
    const askedAt = deps.clock.now();
    await declared();
    return operate(deps, parsed.value, askedAt);
  };
}

function refuse(field: string, rule: string, fix: string): never {
  throw new RefusedInput([{ field, rule, fix } satisfies Problem]);
}

const noTask = (taskId: string): never =>
  refuse(
    'taskId',
    `There is no task ${taskId}.`,
    'Copy the id from its Task Accepted event, or list the cluster.',
  );

function knownQueue({ deadLetters }: OperateDeps, queue: string): void {
  if (deadLetters.queues.includes(queue)) return;
  refuse('queue', `There is no queue ${queue}.`, `Use one of: ${deadLetters.queues.join(', ')}.`);
}

const noMessage = (queue: string, messageId: string): never =>
  refuse(
    'messageId',
    `${queue} shows no message ${messageId}.`,
    'It may have been redriven, or be in somebody’s hands for half a minute: list the queue with dead-letters.',
  );

async function noCluster(deps: OperateDeps, cluster: string): Promise<never> {
  const known = await deps.store.listClusters();
  return refuse(
    'cluster',
    `There is no cluster ${cluster}.`,
    known.length > 0 ? `Use one of: ${known.join(', ')}.` : 'Declare it in BERTH_CLUSTERS and deploy.',
  );
}

async function operate(deps: OperateDeps, command: OperateCommand, askedAt: number): Promise<unknown> {
  switch (command.operation) {
    case 'submit': {
      // Without a key every call is a request of its own; the answer names the key for whoever repeats it.
      const idempotencyKey = command.request.idempotencyKey ?? deps.ids.next();
      const acceptance = await acceptRequest(deps, command.request, { source: 'operator', idempotencyKey });
      if (acceptance.outcome === 'rejected') throw new RefusedInput(acceptance.problems);
      return {
        outcome: 'accepted',
        idempotencyKey,
        duplicates: acceptance.duplicates,
        taskIds: acceptance.tasks.map((task) => task.taskId),
      };
    }
    case 'explain':
      return (await explainTask(deps, command.taskId)) ?? noTask(command.taskId);
    case 'cancel': {
      const cancelled = await cancelTask(deps, command.taskId, command.reason);
      return cancelled.outcome === 'unknown' ? noTask(command.taskId) : cancelled;
    }
    case 'drain': {
      const drained = await drainHost(deps, command.cluster, command.hostId, command.reason);
      switch (drained.outcome) {
        case 'draining':
          return drained;
        case 'refused':
          return refuse(
            'hostId',
            `${command.hostId} is ${drained.host.state} and cannot be drained.`,
            'Choose one that is READY or CORDONED; status shows them.',
          );
        case 'unknown':
          return refuse(
            'hostId',
            `There is no host ${command.hostId} in ${command.cluster}.`,
            'status shows them.',
          );
      }
      break;
    }
    case 'list': {
      const cluster = await deps.store.getCluster(command.cluster);
      if (!cluster) return noCluster(deps, command.cluster);
      const { states, limit } = command;
      return listTasks(deps, cluster, { limit, ...(states !== undefined && { states }) });
    }
    case 'pause':
    case 'resume': {
      const { cluster, operation, source } = command;
      if (!(await deps.store.getCluster(cluster))) return noCluster(deps, cluster);
      const { outcome } = await deps.store.setPaused(cluster, operation === 'pause', askedAt, source);
      if (outcome === 'refused') {
        throw new Error(
          `A later pause or resumption of ${source ?? cluster} is on record: see status, and ask again.`,
        );
      }
      if (operation === 'resume') await deps.bus.wake(cluster, 'resumed');
      return {
        outcome: operation === 'pause' ? 'paused' : 'resumed',
        cluster,
        ...(source !== undefined && { source }),
      };
    }
    case 'weight': {
      const { cluster, source, weight } = command;
      const { outcome } = await deps.store.setWeight(cluster, source, weight);
      return outcome === 'applied'
        ? { outcome: 'weighed', cluster, source, weight }
        : noCluster(deps, cluster);
    }
    case 'pool': {
      const { cluster, pool, change } = command;
      const changed = await changePool(deps, cluster, pool, changesOf(change));
      switch (changed.outcome) {
        case 'changed':
          return changed;
        case 'contradictory':
          return refuse(
            'change',
            `minHosts would be ${changed.minHosts} and maxHosts ${changed.maxHosts}.`,
            'Change both so that maxHosts is not below minHosts.',
          );
        case 'unknown':
          return refuse(
            'pool',
            `There is no pool ${pool} in ${cluster}.`,
            `Its pools: ${changed.pools.join(', ') || 'none; status shows clusters'}.`,
          );
      }
      break;
    }
    case 'dead-letters': {
      const { queue, messageId, limit } = command;
      if (queue === undefined) {
        if (messageId !== undefined)
          return refuse('queue', 'A message is looked for in one queue.', 'Name it.');
        return { queues: await countDeadLetters(deps) };
      }
      knownQueue(deps, queue);
      if (messageId === undefined) return listDeadLetters(deps, queue, limit);
      return (await explainDeadLetter(deps, queue, messageId)) ?? noMessage(queue, messageId);
    }
    case 'redrive': {
      const { queue, messageId } = command;
      knownQueue(deps, queue);
      const { messages } = await deps.deadLetters.count(queue);
      const outcome =
        messageId === undefined
          ? await deps.deadLetters.redriveAll(queue)
          : await deps.deadLetters.redriveOne(queue, messageId);
      switch (outcome) {
        case 'unknown':
          return noMessage(queue, messageId ?? '');
        case 'no-way-back':
          return refuse(
            'queue',
            `The messages of ${queue} did not come from a queue.`,
            'They name a place in the table’s stream: ask explain for the tasks concerned.',
          );
        case 'redriven':
          return { outcome, queue, messageId };
        case 'started':
        case 'running':
          return { outcome, queue, messages };
      }
      break;
    }
    case 'status':
      return (await clusterStatus(deps, command.cluster)) ?? noCluster(deps, command.cluster);
  }
}
