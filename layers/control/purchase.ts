import { planCapacity } from '../domain/capacity/plan.ts';
import { planReplacement } from '../domain/capacity/replace.ts';
import type { Host } from '../domain/model/host.ts';
import type { NewOrder } from '../domain/model/plan.ts';
import type { BoughtHosts, CapacityOrder, Cluster, Pool } from '../domain/model/pool.ts';
import { place } from '../domain/placement/place.ts';
import { ON_ITS_WAY } from '../domain/placement/waits.ts';
import type { BoughtInstance, PurchaseOutcome } from '../ports/machines.ts';
import { queueArrived } from './arrivals.ts';
import { settleHolds } from './preempt.ts';
import { recordWaits } from './recordWaits.ts';
import { loadSnapshot } from './snapshot.ts';
import type { World } from './world.ts';

export type PurchaseWorld = Omit<World, 'containers'>;

/** As many ids as a wake names: the queue's index shows the rest. */
const MAX_HINTS = 100;
/** How long a (type, zone, lifecycle) that EC2 had none of is left out. */
const SHORTAGE_MS = 180_000;

export interface PurchaseReport {
  readonly bought: number;
  readonly returned: number;
  /** Whether demand is left that another round could meet: shortages fall back to other types. */
  readonly again: boolean;
}

/**
 * Turns what no host can hold into instances and gives retired hosts back. An order is on record before EC2 is asked
 * and carries the token of the call: whoever finds it open repeats the same purchase, and EC2 answers with the same
 * fleet.
 */
export async function purchase(
  world: PurchaseWorld,
  clusterName: string,
  taskIds: readonly string[],
): Promise<PurchaseReport> {
  const { store, machines, clock, log } = world;
  const cluster = await store.getCluster(clusterName);
  if (!cluster) return { bought: 0, returned: 0, again: false };
  let bought = 0;
  let short = false;
  for (const order of await store.listOpenOrders(clusterName)) {
    const outcome = await carryOut(world, cluster, order);
    bought += outcome.bought;
    short ||= outcome.short;
  }
  // Read before the hosts: whoever buys in between replaces the order that this plan has to come after.
  const lastOrders = new Map(
    (await store.listLastOrders(clusterName)).map((order) => [order.pool, order.orderId]),
  );
  const loaded = await loadSnapshot(world, cluster, taskIds);
  // What has a place held for it needs no host.
  const { snapshot } = await settleHolds(world, loaded.snapshot);
  const returned = await giveBack(world, snapshot.hosts);
  if (cluster.paused) {
    await queueArrived(world, loaded.hinted);
    return { bought, returned, again: false };
  }
  const instanceTypes = await machines.instanceTypes(cluster.pools);
  const complete = { ...snapshot, instanceTypes };
  const now = clock.now();
  const byId = new Map(snapshot.pending.map((task) => [task.taskId, task]));
  const placement = place(complete, now);
  const unmet = placement.unmet.flatMap((id) => byId.get(id) ?? []);
  const plan = planCapacity(complete, unmet, now);
  // Cheaper hosts for what runs are looked for only when nothing waits and nothing else is bought.
  const orders = plan.orders.length > 0 ? plan.orders : planReplacement(complete, now);
  const ordered: CapacityOrder[] = [];
  for (const planned of orders) {
    const order = newOrder(world, clusterName, planned);
    const opened = await store.openOrder(order, lastOrders.get(planned.pool));
    if (opened.outcome === 'refused') {
      // Another pass buys or has bought for this pool since the snapshot: the plan is void, and another is due.
      short = true;
      continue;
    }
    const outcome = await carryOut(world, cluster, order);
    ordered.push(order);
    lastOrders.set(planned.pool, order.orderId);
    bought += outcome.bought;
    short ||= outcome.short;
  }
  const stuck = new Map(plan.stuck.map(({ taskId, detail }) => [taskId, detail]));
  const asked = new Set(placement.unmet);
  const waits = placement.waits.filter(({ taskId }) => asked.has(taskId));
  await recordWaits(
    world,
    waits.map((wait) => ({
      ...wait,
      explanation: { ...wait.explanation, next: stuck.get(wait.taskId) ?? orderedWords(ordered, short) },
    })),
    byId,
  );
  const told = new Set(waits.map(({ taskId }) => taskId));
  await queueArrived(
    world,
    loaded.hinted.filter(({ taskId }) => !told.has(taskId)),
  );
  const arrived = loaded.hinted.filter(({ arriving }) => arriving);
  // No pass that came while hosts were bought has seen them, and what it was woken for may have been their room.
  if (arrived.length > 0) {
    const taskIds = arrived.slice(0, MAX_HINTS).map(({ taskId }) => taskId);
    await world.bus.wake(clusterName, 'what arrived is in the queue', { taskIds });
  }
  if (stuck.size > 0)
    log.warn('No pool can be grown for some tasks', { cluster: clusterName, ...stuckSummary(stuck) });
  return { bought, returned, again: short && unmet.length > 0 };
}

function orderedWords(orders: readonly CapacityOrder[], short: boolean): string {
  const hosts = orders.map(({ hosts: count, offers }) => `${count} x ${offers[0]?.instanceType ?? 'a host'}`);
  if (hosts.length === 0) return ON_ITS_WAY;
  return `${ON_ITS_WAY}: ${hosts.join(' and ')} ordered for what waits${short ? '; EC2 had fewer, the rest is ordered again' : ''}`;
}

/** The tasks counted by what holds them back, as thousands may be held back by the same. */
function stuckSummary(stuck: ReadonlyMap<string, string>): {
  readonly tasks: number;
  readonly reasons: string[];
} {
  return { tasks: stuck.size, reasons: [...new Set(stuck.values())].slice(0, 5) };
}

const newOrder = (world: PurchaseWorld, cluster: string, planned: NewOrder): CapacityOrder => ({
  ...planned,
  orderId: world.ids.next(),
  cluster,
  state: 'OPEN',
  createdAt: world.clock.now(),
  bought: [],
  errors: [],
});

async function carryOut(
  world: PurchaseWorld,
  cluster: Cluster,
  order: CapacityOrder,
): Promise<{ readonly bought: number; readonly short: boolean }> {
  const { store, machines, metrics, log } = world;
  const pool = cluster.pools.find((candidate) => candidate.name === order.pool);
  const outcome: PurchaseOutcome = pool
    ? await machines.buy(order, pool)
    : { outcome: 'failed', code: 'NoSuchPool', detail: `The pool ${order.pool} is no longer declared.` };
  const tags = { cluster: cluster.name, pool: order.pool };
  switch (outcome.outcome) {
    case 'unknown':
      log.warn('EC2 did not answer a purchase; it is repeated with the same token', {
        orderId: order.orderId,
        detail: outcome.detail,
      });
      return { bought: 0, short: true };
    case 'failed':
      log.error('EC2 refused a purchase', {
        orderId: order.orderId,
        code: outcome.code,
        detail: outcome.detail,
      });
      metrics.count('PurchasesFailed', 1, tags);
      await store.closeOrder(cluster.name, order.pool, order.orderId, {
        state: 'FAILED',
        bought: [],
        errors: [`${outcome.code}: ${outcome.detail}`],
      });
      return { bought: 0, short: false };
    case 'bought': {
      if (outcome.shortages.length > 0) {
        const until = world.clock.now() + SHORTAGE_MS;
        await store.rememberInsufficientCapacity(
          cluster.name,
          outcome.shortages.map((shortage) => ({ ...shortage, until })),
        );
        metrics.count('InsufficientCapacity', outcome.shortages.length, tags);
      }
      const launchedAt = await launchTimes(world, order);
      for (const instance of outcome.instances) {
        await store.addHost(newHost(world, order, pool as Pool, instance, launchedAt(instance.hostId)));
      }
      const closed = await store.closeOrder(cluster.name, order.pool, order.orderId, {
        state: outcome.instances.length > 0 ? 'DONE' : 'FAILED',
        bought: byKind(outcome.instances),
        errors: outcome.errors,
      });
      if (closed.outcome === 'applied' && outcome.instances.length > 0) {
        metrics.count('HostsBought', outcome.instances.length, tags);
      }
      return { bought: outcome.instances.length, short: outcome.instances.length < order.hosts };
    }
  }
}

function byKind(instances: readonly BoughtInstance[]): BoughtHosts[] {
  const kinds = new Map<string, BoughtHosts>();
  for (const { hostId, instanceType, zone, lifecycle } of instances) {
    const key = `${instanceType}/${zone}/${lifecycle}`;
    const hostIds = [...(kinds.get(key)?.hostIds ?? []), hostId];
    kinds.set(key, { instanceType, zone, lifecycle, hostIds });
  }
  return [...kinds.values()];
}

/** An order that is answered later than this may have been filled long before, by a call whose answer was lost. */
const ANSWERED_AT_ONCE_MS = 10_000;

/** When EC2 launched the hosts of an order that it has just answered: from then on they cost. */
async function launchTimes(
  { machines, clock }: PurchaseWorld,
  { cluster, createdAt }: CapacityOrder,
): Promise<(hostId: string) => number> {
  const now = clock.now();
  if (now - createdAt <= ANSWERED_AT_ONCE_MS) return () => now;
  const known = new Map(
    (await machines.list(cluster)).map((machine) => [machine.hostId, machine.launchedAt]),
  );
  // Those that EC2 does not list yet are young.
  return (hostId) => known.get(hostId) ?? now;
}

function newHost(
  world: PurchaseWorld,
  order: CapacityOrder,
  pool: Pool,
  instance: BoughtInstance,
  launchedAt: number,
): Host {
  const offer =
    order.offers.find(
      ({ instanceType, zone }) => instanceType === instance.instanceType && zone === instance.zone,
    ) ?? order.offers.find(({ instanceType }) => instanceType === instance.instanceType);
  const capacity = offer?.capacity ?? {};
  return {
    ...instance,
    cluster: order.cluster,
    pool: pool.name,
    architecture: offer?.architecture ?? 'x86_64',
    usdPerHour: offer?.usdPerHour ?? 0,
    state: 'BOOTING',
    stateReason: order.reason,
    epoch: 1,
    capacity,
    left: capacity,
    ports: [],
    claims: {},
    attributes: {
      'ecs.instance-type': instance.instanceType,
      'ecs.availability-zone': instance.zone,
    },
    orderId: order.orderId,
    ...(order.replaces !== undefined && { replaces: order.replaces }),
    launchedAt,
    idleSince: world.clock.now(),
  };
}

/** Terminates what was retired. Its record goes when EC2 says that the instance is gone. */
async function giveBack(world: PurchaseWorld, hosts: readonly Host[]): Promise<number> {
  const retired = hosts.filter((host) => host.state === 'TERMINATING');
  if (retired.length === 0) return 0;
  await world.machines.terminate(retired.map((host) => host.hostId));
  world.metrics.count('HostsGivenBack', retired.length, { cluster: retired[0]?.cluster ?? '' });
  return retired.length;
}
