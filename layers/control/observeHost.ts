import { hasLostTrack } from '../domain/lifecycle/ecsHost.ts';
import type { Host } from '../domain/model/host.ts';
import type { StopCause } from '../domain/model/reason.ts';
import type { ObservedHost } from '../ports/containers.ts';
import { concurrently } from './concurrently.ts';
import { fenceHost, REGISTERED_ANEW } from './fenceHost.ts';
import { DISCONNECTED, SPOT_INTERRUPTED } from './hostReasons.ts';
import type { Observation, ObserveWorld } from './observation.ts';
import { Releases } from './releases.ts';
import { settleAttempt } from './settleAttempt.ts';

const SETTLED_AT_ONCE = 10;
/** Applies what ECS says of a container instance. Hosts that Berth did not buy are left alone and counted. */
export async function observeHost(world: ObserveWorld, seen: ObservedHost): Promise<Observation> {
  const { store, metrics } = world;
  const host = await store.getHost(seen.cluster, seen.hostId);
  if (!host) {
    metrics.count('UnknownHosts');
    return 'ignored';
  }
  if (isLeftBehind(host, seen)) {
    if (seen.status !== 'INACTIVE')
      await world.containers.deregister(seen.cluster, seen.containerInstanceArn);
    return 'ignored';
  }
  if (hasLostTrack(host, seen)) return fenceHost(world, host, REGISTERED_ANEW);
  if (seen.status === 'ACTIVE' && seen.agentConnected) {
    if (!bringsNews(host, seen)) return 'ignored';
    const registered = await store.registerHost(seen.cluster, seen.hostId, {
      containerInstanceArn: seen.containerInstanceArn,
      capacity: seen.capacity,
      attributes: seen.attributes,
      ecsVersion: seen.version,
      registeredAt: seen.registeredAt,
    });
    if (registered.outcome === 'refused') {
      const { current } = registered;
      // A claim may have come since the host was read.
      return current && hasLostTrack(current, seen) ? fenceHost(world, current, REGISTERED_ANEW) : 'ignored';
    }
    const before = host.containerInstanceArn;
    if (before !== undefined && before !== seen.containerInstanceArn)
      await world.containers.deregister(seen.cluster, before);
    if (host.state === 'CORDONED' && host.stateReason === DISCONNECTED) {
      await store.setHostState(seen.cluster, seen.hostId, {
        from: ['CORDONED'],
        to: 'READY',
        reason: 'its container agent is connected again',
      });
      return 'freed';
    }
    return host.state === 'BOOTING' ? 'freed' : 'recorded';
  }
  // Each registration counts versions of its own.
  const same = host.containerInstanceArn === seen.containerInstanceArn;
  if (same && host.ecsVersion !== undefined && seen.version < host.ecsVersion) return 'ignored';
  const cordoned = await store.setHostState(seen.cluster, seen.hostId, {
    from: ['READY'],
    to: 'CORDONED',
    reason: seen.agentConnected ? `ECS calls it ${seen.status}` : DISCONNECTED,
    atMs: world.clock.now(),
  });
  return cordoned.outcome === 'applied' ? 'recorded' : 'ignored';
}

/**
 * An agent that has lost its data registers its host anew, and ECS keeps the registration before for ever. The record has
 * moved on to the later one, so that nothing of Berth's runs under this one.
 */
const isLeftBehind = (host: Host, seen: ObservedHost): boolean =>
  host.containerInstanceArn !== undefined &&
  host.containerInstanceArn !== seen.containerInstanceArn &&
  seen.registeredAt < (host.registeredAt ?? 0);

/**
 * ECS tells of a container instance with every task that starts or ends on it, as what remains of it changes. Berth
 * keeps its own account of that: writing each down would cost more than all of the task's own records.
 */
const bringsNews = (host: Host, seen: ObservedHost): boolean =>
  host.state === 'BOOTING' ||
  (host.state === 'CORDONED' && host.stateReason === DISCONNECTED) ||
  host.containerInstanceArn !== seen.containerInstanceArn ||
  !sameEntries(host.capacity, seen.capacity) ||
  !sameEntries(host.attributes, seen.attributes);

function sameEntries<T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/**
 * The instance is gone and everything on it dead: its tasks are settled first, its record removed last, so that being
 * cut off in between leaves the record that leads here again.
 */
export async function loseHost(
  world: ObserveWorld,
  host: Host,
  cause: Extract<StopCause, 'HOST_LOST' | 'SPOT_INTERRUPTION'>,
  detail: string,
): Promise<void> {
  const { store, log, metrics } = world;
  const claims = Object.values(host.claims);
  if (claims.length > 0) {
    log.warn('A host is gone with tasks on it', { hostId: host.hostId, tasks: claims.length, detail });
    const tasks = await store.getTasks(claims.map((claim) => claim.taskId));
    const releases = new Releases(world);
    await concurrently(tasks, SETTLED_AT_ONCE, async (task) => {
      const claim = host.claims[task.taskId];
      if (claim?.attempt !== task.attempt || task.hostId !== host.hostId) return;
      await settleAttempt(world, task, { cause, detail }, {}, releases.of(host.hostId));
    });
    await releases.giveAllBack();
  }
  // A claim that slipped in before TERMINATING was recorded keeps the record; the next reconcile settles it.
  const current = await store.getHost(host.cluster, host.hostId);
  const unsettled = Object.values(current?.claims ?? {}).filter((claim) => {
    const before = host.claims[claim.taskId];
    return before === undefined || before.attempt !== claim.attempt;
  });
  if (unsettled.length > 0) return;
  // Whoever repeats the purchase has to find it: the next reconcile removes it.
  const open = await store.listOpenOrders(host.cluster);
  if (open.some(({ orderId }) => orderId === host.orderId)) return;
  await store.removeHost(host.cluster, host.hostId, { ifEmpty: false });
  metrics.count('HostsGone', 1, { cluster: host.cluster });
}

/** Finds a host by id alone, as EC2's events name no cluster. */
export async function findHost(
  world: Pick<ObserveWorld, 'store'>,
  hostId: string,
): Promise<Host | undefined> {
  for (const cluster of await world.store.listClusters()) {
    const host = await world.store.getHost(cluster, hostId);
    if (host) return host;
  }
  return undefined;
}

/** Applies an EC2 state change. Only `terminated` proves that nothing runs there any more. */
export async function observeMachine(
  world: ObserveWorld,
  seen: { readonly hostId: string; readonly state: string; readonly time: number },
): Promise<{ readonly outcome: Observation; readonly cluster?: string }> {
  const host = await findHost(world, seen.hostId);
  if (!host) return { outcome: 'ignored' };
  if (seen.state === 'terminated') {
    const spot = host.stateReason === SPOT_INTERRUPTED;
    await endHost(world, host, 'EC2 terminated it', seen.time);
    const last = (await world.store.getHost(host.cluster, host.hostId)) ?? host;
    await loseHost(
      world,
      last,
      spot ? 'SPOT_INTERRUPTION' : 'HOST_LOST',
      spot ? `EC2 took the Spot instance ${host.hostId} back` : `the host ${host.hostId} was terminated`,
    );
    return { outcome: 'freed', cluster: host.cluster };
  }
  if (seen.state === 'shutting-down' || seen.state === 'stopping' || seen.state === 'stopped') {
    await endHost(world, host, `EC2 reports it ${seen.state}`, seen.time);
    return { outcome: 'freed', cluster: host.cluster };
  }
  return { outcome: 'ignored', cluster: host.cluster };
}

/** EC2 takes Spot hosts back where it is running out of them: another of the kind would soon go the same way. */
const TAKEN_BACK_MS = 600_000;

/** Nothing new is placed there; the pass that follows buys its replacement for what comes back to the queue. */
export async function observeInterruption(
  world: ObserveWorld,
  seen: { readonly hostId: string; readonly kind: 'interruption' | 'rebalance' },
): Promise<{ readonly outcome: Observation; readonly cluster?: string }> {
  const host = await findHost(world, seen.hostId);
  if (!host) return { outcome: 'ignored' };
  const interrupted = seen.kind === 'interruption';
  await world.store.setHostState(host.cluster, host.hostId, {
    from: interrupted ? ['BOOTING', 'READY', 'CORDONED'] : ['READY'],
    to: interrupted ? 'DRAINING' : 'CORDONED',
    reason: interrupted ? SPOT_INTERRUPTED : 'EC2 recommends to rebalance',
  });
  if (interrupted) {
    await world.store.rememberInsufficientCapacity(host.cluster, [
      {
        instanceType: host.instanceType,
        zone: host.zone,
        lifecycle: 'spot',
        until: world.clock.now() + TAKEN_BACK_MS,
        code: 'SpotInterruption',
      },
    ]);
    const tasks = await world.store.getTasks(Object.keys(host.claims));
    await concurrently(tasks, SETTLED_AT_ONCE, async (task) => {
      if (task.hostId !== host.hostId || !task.spec.interruptible || task.ecsTaskArn === undefined) return;
      await world.store.requestStop(task.taskId, { code: 'PREEMPTED', detail: SPOT_INTERRUPTED });
      await world.containers.stop(host.cluster, task.ecsTaskArn, SPOT_INTERRUPTED);
    });
  }
  return { outcome: 'freed', cluster: host.cluster };
}

/**
 * EC2 has stopped the instance: it takes nothing more and costs nothing more from `atMs` on. Of a host that was given up
 * before, only that is noted, once.
 */
export async function endHost(
  world: Pick<ObserveWorld, 'store'>,
  host: Host,
  reason: string,
  atMs: number,
): Promise<void> {
  const { state, stateSince, stateReason, cluster, hostId } = host;
  const givenUp = state === 'TERMINATING';
  if (givenUp && stateSince !== undefined && stateSince <= atMs) return;
  await world.store.setHostState(cluster, hostId, {
    from: ['BOOTING', 'READY', 'CORDONED', 'DRAINING', 'TERMINATING'],
    to: 'TERMINATING',
    reason: givenUp || stateReason === SPOT_INTERRUPTED ? stateReason : reason,
    atMs,
  });
}
