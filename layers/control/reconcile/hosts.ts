import { hasLostTrack } from '../../domain/lifecycle/ecsHost.ts';
import type { Host } from '../../domain/model/host.ts';
import type { Cluster } from '../../domain/model/pool.ts';
import { minus, plus, type Resources } from '../../domain/model/resources.ts';
import type { ObservedHost } from '../../ports/containers.ts';
import type { ObservedMachine } from '../../ports/machines.ts';
import { DISCONNECTED, SPOT_INTERRUPTED } from '../hostReasons.ts';
import { endHost, loseHost, observeHost } from '../observeHost.ts';
import type { World } from '../world.ts';
import type { Repairs } from './repairs.ts';

/** ECS and EC2 may show a change this late (Amazon ECS API reference, "eventual consistency": back off up to 5 min). */
export const ABSENCE_PROOF_MS = 300_000;
/** A host that has not registered by then never will: it is replaced. */
const BOOT_LIMIT_MS = 600_000;
/** An agent restarts or finds its network again within minutes; one that has not by then is given up with its host. */
const SILENCE_LIMIT_MS = 900_000;

const gone = new Set<ObservedMachine['state']>(['terminated']);
const leaving = new Set<ObservedMachine['state']>(['shutting-down', 'stopping', 'stopped']);

/** The three accounts of the cluster's hosts. */
export interface HostViews {
  readonly hosts: readonly Host[];
  readonly instances: readonly ObservedMachine[];
  readonly ecsHosts: readonly ObservedHost[];
  /** When EC2 and ECS were asked, epoch ms: an invocation may be held up for minutes after that. */
  readonly readAt: number;
}

export async function reconcileHosts(
  world: World,
  cluster: Cluster,
  { hosts, instances, ecsHosts, readAt }: HostViews,
  repairs: Repairs,
): Promise<void> {
  const now = world.clock.now();
  const byInstance = new Map(instances.map((instance) => [instance.hostId, instance]));
  const byEcs = latestRegistrations(ecsHosts);
  for (const host of hosts) {
    const instance = byInstance.get(host.hostId);
    if (instance ? gone.has(instance.state) : readAt - host.launchedAt > ABSENCE_PROOF_MS) {
      await lose(world, host, instance);
      repairs.hostsLost += 1;
      continue;
    }
    if (instance && leaving.has(instance.state) && !hasEnded(host)) {
      await endHost(world, host, `EC2 reports it ${instance.state}`, world.clock.now());
      repairs.hostsCordoned += 1;
      continue;
    }
    if (host.state === 'BOOTING' && now - host.launchedAt > BOOT_LIMIT_MS) {
      await retire(world, host, `it did not register in ECS within ${BOOT_LIMIT_MS / 60_000} minutes`);
      repairs.hostsOverdue += 1;
      continue;
    }
    const seen = byEcs.get(host.hostId);
    if (isOverdue(host, seen, now)) {
      await retire(
        world,
        host,
        `its container agent has been silent for ${SILENCE_LIMIT_MS / 60_000} minutes`,
      );
      repairs.hostsSilent += 1;
      continue;
    }
    if (seen) await noteSilence(world, host, seen);
    if (seen && needsObserving(host, seen)) {
      const outcome = await observeHost(world, seen);
      if (outcome !== 'ignored') {
        if (hasLostTrack(host, seen)) repairs.hostsFenced += 1;
        else if (seen.agentConnected) repairs.hostsRegistered += 1;
        else repairs.hostsCordoned += 1;
      }
    }
    if (!ledgerBalances(host)) {
      repairs.ledgerErrors += 1;
      world.log.error('A host’s left and claims do not add up to its capacity', {
        hostId: host.hostId,
        capacity: host.capacity,
        left: host.left,
        claims: Object.keys(host.claims).length,
      });
    }
  }
  await dropRegistrations(world, { hosts, instances, ecsHosts, readAt }, byEcs, repairs);
  await terminateOrphans(world, cluster, hosts, instances, repairs);
}

/** An agent that has lost its data registers its host once more, beside the registration that it knows nothing of. */
function latestRegistrations(ecsHosts: readonly ObservedHost[]): Map<string, ObservedHost> {
  const latest = new Map<string, ObservedHost>();
  for (const host of ecsHosts) {
    const known = latest.get(host.hostId);
    if (known === undefined || known.registeredAt < host.registeredAt) latest.set(host.hostId, host);
  }
  return latest;
}

/**
 * Registrations that their agents have left behind, and those without an agent of instances that are gone and settled:
 * ECS keeps both for ever. One that is still on record is kept until its instance is gone: what it counts may run on.
 */
async function dropRegistrations(
  world: World,
  { hosts, instances, ecsHosts }: HostViews,
  latest: ReadonlyMap<string, ObservedHost>,
  repairs: Repairs,
): Promise<void> {
  const known = new Map(hosts.map((host) => [host.hostId, host]));
  const ended = new Set(instances.filter(({ state }) => gone.has(state)).map(({ hostId }) => hostId));
  for (const seen of ecsHosts) {
    const onRecord = known.get(seen.hostId)?.containerInstanceArn === seen.containerInstanceArn;
    const leftBehind = latest.get(seen.hostId) !== seen && !onRecord;
    const over = ended.has(seen.hostId) && !known.has(seen.hostId) && !seen.agentConnected;
    if (!leftBehind && !over) continue;
    await world.containers.deregister(seen.cluster, seen.containerInstanceArn);
    repairs.registrationsDropped += 1;
  }
}

const hasEnded = ({ state, stateSince }: Host): boolean =>
  state === 'TERMINATING' && stateSince !== undefined;

/**
 * Cut off from ECS for so long, or not even registered there any more: what runs there is beyond reach, and only the end of the instance proves that it no longer
 * does.
 */
const isOverdue = (host: Host, seen: ObservedHost | undefined, nowMs: number): boolean =>
  seen?.agentConnected !== true &&
  host.state !== 'TERMINATING' &&
  host.stateReason === DISCONNECTED &&
  host.stateSince !== undefined &&
  nowMs - host.stateSince > SILENCE_LIMIT_MS;

/** A host that is out of service already is not cordoned for its silence; since when it is silent is noted all the same. */
async function noteSilence(world: World, host: Host, seen: ObservedHost): Promise<void> {
  const outOfService = host.state === 'DRAINING' || host.state === 'CORDONED';
  const noted = host.stateReason === DISCONNECTED;
  // Of a Spot host that is taken back the reason has to stay: it becomes the cause of its tasks' ends.
  if (!outOfService || host.stateReason === SPOT_INTERRUPTED) return;
  const change = { from: [host.state], to: host.state };
  if (!seen.agentConnected && !noted) {
    await world.store.setHostState(host.cluster, host.hostId, {
      ...change,
      reason: DISCONNECTED,
      atMs: world.clock.now(),
    });
  } else if (seen.agentConnected && noted && host.state === 'DRAINING') {
    await world.store.setHostState(host.cluster, host.hostId, {
      ...change,
      reason: 'its container agent is connected again',
    });
  }
}

const needsObserving = (host: Host, seen: ObservedHost): boolean =>
  (host.state !== 'TERMINATING' &&
    host.containerInstanceArn !== undefined &&
    host.containerInstanceArn !== seen.containerInstanceArn) ||
  (seen.agentConnected &&
    seen.status === 'ACTIVE' &&
    (host.state === 'BOOTING' || host.state === 'CORDONED')) ||
  ((!seen.agentConnected || seen.status !== 'ACTIVE') && host.state === 'READY');

async function lose(world: World, host: Host, instance: ObservedMachine | undefined): Promise<void> {
  const spot = host.stateReason === SPOT_INTERRUPTED;
  const reason = instance ? 'EC2 terminated it' : 'EC2 knows no such instance';
  await endHost(world, host, reason, world.clock.now());
  const last = (await world.store.getHost(host.cluster, host.hostId)) ?? host;
  await loseHost(
    world,
    last,
    spot ? 'SPOT_INTERRUPTION' : 'HOST_LOST',
    instance ? `the host ${host.hostId} was terminated` : `EC2 no longer knows the host ${host.hostId}`,
  );
}

async function retire(world: World, host: Host, reason: string): Promise<void> {
  await world.store.setHostState(host.cluster, host.hostId, {
    from: ['BOOTING', 'READY', 'CORDONED', 'DRAINING'],
    to: 'TERMINATING',
    reason,
  });
}

/** The first invariant: left + claims = capacity, in every dimension. */
export function ledgerBalances(host: Host): boolean {
  let used: Resources = {};
  for (const claim of Object.values(host.claims)) used = plus(used, claim.demand);
  const rest = minus(minus(host.capacity, used), host.left);
  return Object.values(rest).every((amount) => amount === 0);
}

/** An instance that carries the cluster's tag and that neither a host record nor an open order accounts for. */
async function terminateOrphans(
  world: World,
  cluster: Cluster,
  hosts: readonly Host[],
  instances: readonly ObservedMachine[],
  repairs: Repairs,
): Promise<void> {
  const now = world.clock.now();
  const known = new Set(hosts.map((host) => host.hostId));
  const open = new Set((await world.store.listOpenOrders(cluster.name)).map((order) => order.orderId));
  const orphans: string[] = [];
  for (const instance of instances) {
    if (gone.has(instance.state) || instance.state === 'shutting-down' || known.has(instance.hostId))
      continue;
    if (instance.orderId !== undefined && open.has(instance.orderId)) continue;
    if (now - instance.launchedAt < ABSENCE_PROOF_MS) continue;
    // Read once more: the record may have been made since it was listed.
    if (await world.store.getHost(cluster.name, instance.hostId)) continue;
    orphans.push(instance.hostId);
  }
  if (orphans.length === 0) return;
  world.log.warn('Instances of the cluster that no record accounts for are terminated', { orphans });
  await world.machines.terminate(orphans);
  repairs.orphanInstances += orphans.length;
}
