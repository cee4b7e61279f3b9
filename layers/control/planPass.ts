import type { Host } from '../domain/model/host.ts';
import type { PlacementPlan } from '../domain/model/plan.ts';
import type { Cluster } from '../domain/model/pool.ts';
import type { Resources } from '../domain/model/resources.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import type { PlacementStrategy } from '../domain/model/task.ts';
import { place } from '../domain/placement/place.ts';
import { hasBeenLookedAt, placeOnCopy } from '../domain/placement/placeOnCopy.ts';
import { concurrently } from './concurrently.ts';
import { endTask } from './dependencies.ts';
import type { HostCopy, Refreshed } from './hostCopy.ts';
import { type Held, nothingHeld, settleHolds } from './preempt.ts';
import { type Loaded, loadSnapshot } from './snapshot.ts';
import type { PassWorld } from './world.ts';

const ENDS_AT_ONCE = 10;

export interface PlannedPass extends Pick<Loaded, 'hinted' | 'emptySeats'> {
  /** Without the tasks whose places are held. */
  readonly snapshot: Snapshot;
  readonly held: Held;
  readonly plan: PlacementPlan;
  /**
   * Whether all hosts were read for it. Only then does it know what nothing can hold and what may be given back; else
   * `read` are the hosts that were.
   */
  readonly whole: boolean;
  readonly read: readonly Host[];
}

const noPlan: PlacementPlan = { placements: [], waits: [], preemptions: [], unmet: [] };

/** A cluster of one cell is read in one query. Where use is measured, room is not what the record says is left. */
export const isWorthACopy = ({ cells, pools }: Cluster): boolean =>
  cells > 1 && !pools.some(({ cpuOvercommit = 1 }) => cpuOvercommit > 1);

/**
 * Decides what a pass does. When the wake has said which hosts it has changed, it plans on the process's copy of the
 * cluster's hosts, with those read again, so that a task which finds room costs the same however many hosts there are; and
 * on all of them, as they are, as soon as that is not enough (`placeOnCopy`).
 */
export async function planPass(
  world: PassWorld,
  cluster: Cluster,
  wake: { readonly taskIds: readonly string[]; readonly changedHosts?: readonly string[] },
  copy: HostCopy,
): Promise<PlannedPass> {
  const { store, clock } = world;
  const { taskIds, changedHosts } = wake;
  const copied = isWorthACopy(cluster);
  const readAll = (): Promise<readonly Host[]> =>
    copied ? copy.readAll(store, cluster.name, clock.now()) : store.listHosts(cluster.name);
  let refreshed: Refreshed | undefined;
  const loaded = await loadSnapshot(world, cluster, taskIds, async () => {
    if (copied && changedHosts !== undefined) {
      copy.doubt(changedHosts);
      refreshed = await copy.refresh(store, cluster.name, clock.now());
    }
    return refreshed?.hosts ?? readAll();
  });
  const { hinted, emptySeats } = loaded;
  let snapshot = await withoutCancelled(world, loaded.snapshot);
  if (refreshed !== undefined) {
    const { read } = refreshed;
    const roomCame = (changedHosts ?? []).length > 0;
    const hosts = nearest(snapshot, copy, read);
    for (const some of hosts === snapshot.hosts ? [hosts] : [hosts, snapshot.hosts]) {
      const seen = { ...snapshot, hosts: some };
      const plan = cluster.paused ? noPlan : placeOnCopy(seen, clock.now(), roomCame);
      if (plan === undefined) continue;
      return { hinted, emptySeats, snapshot: seen, held: nothingHeld(seen), plan, whole: false, read };
    }
    snapshot = { ...snapshot, hosts: await readAll() };
  }
  const held = await settleHolds(world, snapshot);
  const planned = cluster.paused ? noPlan : place(held.snapshot, clock.now());
  const plan = cluster.paused
    ? planned
    : {
        ...planned,
        placements: [...held.placements, ...planned.placements],
        waits: [...held.waits, ...planned.waits],
      };
  const { hosts: read } = held.snapshot;
  return { hinted, emptySeats, snapshot: held.snapshot, held, plan, whole: true, read };
}

/** More sizes, or sources whose shares of the cluster count, are worth a look at all hosts of the copy. */
const MAX_SIZES = 4;

/** The copy's part is that of the fullest hosts, which is not what every strategy looks for. */
const isOwnOrder = (strategy: PlacementStrategy): boolean =>
  strategy.type !== 'binpack' || strategy.field !== undefined;

/** The part of the copy that is enough for most passes about few tasks, or all of it. */
function nearest({ pending, hosts }: Snapshot, copy: HostCopy, read: readonly Host[]): readonly Host[] {
  const sizes = new Map<string, Resources>();
  for (const task of pending) {
    if (hasBeenLookedAt(task)) continue;
    const { demand, placement } = task.spec;
    sizes.set(`${demand.cpu ?? 0}/${demand.memory ?? 0}`, demand);
    if (sizes.size > MAX_SIZES || placement.strategies.some(isOwnOrder)) return hosts;
  }
  const [first, ...others] = pending;
  if (others.some(({ source }) => source !== first?.source)) return hosts;
  return copy.near([...sizes.values()], read);
}

/** A task that was cancelled while its attempt was failing came back to the queue with the request on record: it ends here. */
async function withoutCancelled(world: PassWorld, snapshot: Snapshot): Promise<Snapshot> {
  const cancelled = snapshot.pending.filter((task) => task.stopRequested?.code === 'CANCELLED');
  if (cancelled.length === 0) return snapshot;
  await concurrently(cancelled, ENDS_AT_ONCE, async (task) => {
    await endTask(world, task, {
      state: 'CANCELLED',
      ifState: ['PENDING'],
      endedAt: world.clock.now(),
      reason: { code: 'STOPPED', cause: 'CANCELLED', detail: task.stopRequested?.detail ?? '' },
    });
  });
  return { ...snapshot, pending: snapshot.pending.filter((task) => !cancelled.includes(task)) };
}
