import {
  type HeldPlace,
  HOLD_MS,
  heldPlaces,
  isComplete,
  isVoidHold,
  victimsOf,
} from '../domain/lifecycle/hold.ts';
import type { Claim, Host } from '../domain/model/host.ts';
import type { HostPlacement, Preemption, Wait } from '../domain/model/plan.ts';
import { minus } from '../domain/model/resources.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import type { Task } from '../domain/model/task.ts';
import { concurrently } from './concurrently.ts';
import type { World } from './world.ts';

export type PreemptWorld = Pick<World, 'store' | 'containers' | 'clock' | 'log' | 'metrics'>;

const AT_ONCE = 8;

/** What is held for tasks on the snapshot's hosts, and the snapshot without these tasks: their place is decided. */
export interface Held {
  readonly snapshot: Snapshot;
  /** Heirs that fit now. */
  readonly placements: readonly HostPlacement[];
  readonly waits: readonly Wait[];
  /** By heir. */
  readonly holds: ReadonlyMap<string, Claim>;
  readonly heirs: readonly Task[];
  readonly void: readonly HeldPlace[];
  /** Holds that still wait for victims. */
  readonly open: readonly HeldPlace[];
  readonly wakeAt?: number;
}

export const nothingHeld = (snapshot: Snapshot): Held => ({
  snapshot,
  placements: [],
  waits: [],
  holds: new Map(),
  heirs: [],
  void: [],
  open: [],
});

/** Takes heirs out of what is planned. Reads the tasks only when there are holds, and writes nothing. */
export async function settleHolds(world: Pick<World, 'store' | 'clock'>, snapshot: Snapshot): Promise<Held> {
  const places = heldPlaces(snapshot.hosts);
  if (places.length === 0) return nothingHeld(snapshot);
  const now = world.clock.now();
  const tasks = new Map(
    (await world.store.getTasks(places.map(({ heir }) => heir))).map((task) => [task.taskId, task]),
  );
  const isVoid = (place: HeldPlace): boolean => isVoidHold(place, tasks.get(place.heir), now);
  const valid = places.filter((place) => !isVoid(place));
  const holds = new Map(valid.map(({ heir, hold }) => [heir, hold]));
  const hosts = new Map(snapshot.hosts.map((host) => [host.hostId, host]));
  const placements: HostPlacement[] = [];
  const open: HeldPlace[] = [];
  for (const place of valid) {
    const host = hosts.get(place.host.hostId) as Host;
    if (!isComplete({ ...place, host })) {
      open.push(place);
      continue;
    }
    const rest = minus(place.hold.hold?.need ?? {}, place.hold.demand);
    hosts.set(host.hostId, { ...host, left: minus(host.left, rest) });
    placements.push({
      hostId: host.hostId,
      epoch: host.epoch,
      tasks: [{ taskId: place.heir, attempt: place.hold.attempt }],
    });
  }
  return {
    snapshot: {
      ...snapshot,
      hosts: [...hosts.values()],
      pending: snapshot.pending.filter((task) => !holds.has(task.taskId)),
    },
    placements,
    holds,
    heirs: valid.flatMap(({ heir }) => tasks.get(heir) ?? []),
    void: places.filter(isVoid),
    open,
    waits: open.map((place) => ({
      taskId: place.heir,
      attempt: place.hold.attempt,
      explanation: { hostsConsidered: 1, refusals: {}, next: heldWords(place) },
    })),
    ...(open.length > 0 && { wakeAt: Math.min(...open.map(({ hold }) => hold.claimedAt + HOLD_MS)) }),
  };
}

export function heldWords(place: HeldPlace): string {
  const count = victimsOf(place).length;
  return `its place on ${place.host.hostId} is held: ${count} less urgent task${count === 1 ? '' : 's'} there stop${count === 1 ? 's' : ''} for it`;
}

/** Gives void holds back and asks again for stops that a pass cut off in between may not have asked for. */
export async function mendHolds(world: PreemptWorld, held: Held): Promise<number> {
  await concurrently(held.void, AT_ONCE, async ({ host, hold }) => {
    await world.store.releaseClaims(host.cluster, host.hostId, [hold], world.clock.now());
  });
  await concurrently(held.open, AT_ONCE, (place) =>
    stopVictims(world, place.host, place.heir, victimsOf(place)),
  );
  return held.void.length;
}

/**
 * Carries a plan's preemptions out. First the place is held, in one transaction with the victims' claims, so that
 * whatever their ends set free is the preemptor's; then they are asked to stop. Their claims are given back as those of
 * any attempt, last. Returns the tasks whose preemption lost against something newer.
 */
export async function carryOutPreemptions(
  world: PreemptWorld,
  cluster: string,
  preemptions: readonly Preemption[],
  byId: ReadonlyMap<string, Task>,
): Promise<string[]> {
  const { store, clock, log, metrics } = world;
  const stale: string[] = [];
  // Two of one host would meet in its record: one at a time.
  for (const preemption of preemptions) {
    const task = byId.get(preemption.taskId);
    if (!task) continue;
    const { demand, hostPorts, group, priority } = task.spec;
    const held = await store.holdPlace({
      cluster,
      hostId: preemption.hostId,
      epoch: preemption.epoch,
      nowMs: clock.now(),
      heir: { taskId: task.taskId, attempt: task.attempt, demand, hostPorts, group, priority },
      victims: preemption.victims,
    });
    metrics.count('Preemptions', 1, { outcome: held.outcome });
    if (held.outcome === 'refused') {
      stale.push(task.taskId);
      continue;
    }
    log.info('Less urgent tasks are stopped for one', { ...preemption });
    const victims = Object.values(held.current.claims).filter((claim) => claim.heir === task.taskId);
    await stopVictims(world, held.current, task.taskId, victims);
  }
  return stale;
}

async function stopVictims(
  world: PreemptWorld,
  host: Host,
  heir: string,
  victims: readonly Claim[],
): Promise<void> {
  const { store, containers } = world;
  const tasks = await store.getTasks(victims.map(({ taskId }) => taskId));
  await concurrently(tasks, AT_ONCE, async (task) => {
    const claim = host.claims[task.taskId];
    if (claim === undefined || task.attempt !== claim.attempt || task.stopRequested) return;
    const detail = `it makes room on ${host.hostId} for the more urgent task ${heir}`;
    const asked = await store.requestStop(task.taskId, { code: 'PREEMPTED', detail }, claim.attempt);
    const arn = asked.current?.ecsTaskArn;
    // Without an ARN the launch is still open: whoever records it finds the request and stops the attempt then.
    if (asked.outcome === 'applied' && arn !== undefined) await containers.stop(host.cluster, arn, detail);
  });
}
