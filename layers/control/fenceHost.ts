import type { Host } from '../domain/model/host.ts';
import type { Task } from '../domain/model/task.ts';
import type { ObservedTask } from '../ports/containers.ts';
import { DISCONNECTED, SPOT_INTERRUPTED } from './hostReasons.ts';
import type { Observation, ObserveWorld } from './observation.ts';

export const REGISTERED_ANEW =
  'its container agent lost its data and registered it anew, and what it ran before may run on';
export const DEREGISTERED = 'it was deregistered in ECS under its tasks, which may run on';

/**
 * Gives up a host on which processes may run that ECS has lost. Nobody can stop them, nor say that they ended, but EC2: the
 * instance is terminated, and its attempts are over when EC2 says that it is gone (`loseHost`). What a newer registration
 * has meanwhile made of the host stays.
 */
export async function fenceHost(world: ObserveWorld, host: Host, why: string): Promise<Observation> {
  const { store, bus, log, metrics } = world;
  const { cluster, hostId, stateReason, registeredAt } = host;
  if (host.state === 'TERMINATING') return 'ignored';
  const fenced = await store.setHostState(cluster, hostId, {
    from: ['READY', 'CORDONED', 'DRAINING'],
    to: 'TERMINATING',
    // It becomes the cause of its tasks' ends.
    reason: stateReason === SPOT_INTERRUPTED ? SPOT_INTERRUPTED : why,
    ...(registeredAt !== undefined && { registeredAt }),
  });
  if (fenced.outcome === 'refused') return 'ignored';
  log.warn('A host is replaced, as what runs there is out of reach', {
    hostId,
    why,
    tasks: Object.keys(host.claims).length,
  });
  metrics.count('HostsFenced', 1, { cluster });
  await bus.provision(cluster, 'a host to give back');
  return 'freed';
}

/**
 * ECS calls an attempt STOPPED because its host was deregistered, which ends nothing: what ran runs on, unaccounted for
 * (Amazon ECS API reference, DeregisterContainerInstance, `force`). `undefined` when the host is gone, and the attempt over.
 */
export async function fenceOrphan(world: ObserveWorld, task: Task): Promise<Observation | undefined> {
  const host = task.hostId === undefined ? undefined : await world.store.getHost(task.cluster, task.hostId);
  return host && fenceHost(world, host, DEREGISTERED);
}

/**
 * A stop that came before the start leaves no exit code. Nor does one of which only ECS says that it was carried out, because
 * the host was deregistered before its agent told of the start. While the agent is silent the two look alike: `reconcile`
 * comes back to it when the agent is there again; when the host is given up, its end is that of the attempt.
 */
export async function isUnproven(
  { store }: Pick<ObserveWorld, 'store'>,
  task: Task,
  { cause, exitCode, startedAt }: ObservedTask,
): Promise<boolean> {
  if (cause !== 'STOPPED_BY_USER' || exitCode !== undefined || startedAt !== undefined) return false;
  const host = task.hostId === undefined ? undefined : await store.getHost(task.cluster, task.hostId);
  return host?.stateReason === DISCONNECTED || host?.state === 'TERMINATING';
}
