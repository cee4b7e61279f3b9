import { idleWait } from '../../../layers/domain/capacity/breakEven.ts';
import { planDrains } from '../../../layers/domain/capacity/consolidate.ts';
import { DEFAULT_BUDGET } from '../../../layers/domain/capacity/disruption.ts';
import { planCapacity } from '../../../layers/domain/capacity/plan.ts';
import { planReplacement } from '../../../layers/domain/capacity/replace.ts';
import { planScaleIn } from '../../../layers/domain/capacity/scaleIn.ts';
import type { NewOrder } from '../../../layers/domain/model/plan.ts';
import type { InstanceType, Pool } from '../../../layers/domain/model/pool.ts';
import type { Snapshot } from '../../../layers/domain/model/snapshot.ts';
import type { Task } from '../../../layers/domain/model/task.ts';
import { place } from '../../../layers/domain/placement/place.ts';
import { cluster, pool, snapshot, task } from '../../../layers/domain/placement/testWorld.ts';
import type { Fleet, Job, Policy } from './simulator.ts';

/** A boot costs 9 s that are billed and cannot be used; a task's wait for it is taken to be worth as much as half a minute. */
const BOOT_WORTH_MS = 39_000;
/** As many as a pool's record keeps. */
const OBSERVED = 64;

/** Berth's own planners, called as the functions call them: on every event, with the whole snapshot. */
export function berthPolicy(types: readonly InstanceType[], over: Partial<Pool> = {}): Policy {
  const byName = new Map(types.map((type) => [type.name, type]));
  const only = pool({
    zones: ['us-east-1a'],
    maxHosts: 5_000,
    maxHostVcpus: 192,
    idleHostMs: BOOT_WORTH_MS,
    // A move in the replay does not change when a job ends: it loses none of its work.
    disruption: { ...DEFAULT_BUDGET, lostWork: 0 },
    ...over,
  });
  /** Gaps between a host's last task and its next; a host that was given back had none. */
  const gaps: number[] = [];
  const tasks = new Map<string, Task>();
  const taskOf = (job: Job): Task => {
    let made = tasks.get(job.id);
    if (made === undefined) {
      made = task(
        job.id,
        { demand: job.demand, interruptible: job.interruptible, group: 'replay' },
        { acceptedAt: job.arrivesMs },
      );
      tasks.set(job.id, made);
    }
    return made;
  };
  const snapshotOf = (fleet: Fleet): Snapshot =>
    snapshot({
      cluster: cluster({
        pools: [{ ...only, idleGapsMs: gaps.slice(-OBSERVED) }],
      }),
      hosts: [...fleet.hosts.values()],
      pending: [...fleet.waiting.values()].map(taskOf),
      instanceTypes: types,
    });
  const poolOf = ({ cluster: { pools } }: Snapshot): Pool => pools[0] ?? only;
  return {
    name: 'Berth',
    step(fleet) {
      const before = snapshotOf(fleet);
      const plan = place(before, fleet.now);
      for (const { hostId, tasks: placed } of plan.placements) {
        const host = fleet.hosts.get(hostId);
        const { idleSince } = host ?? {};
        if (host !== undefined && idleSince !== undefined && idleWait(poolOf(before), host).full) {
          gaps.push(fleet.now - idleSince);
        }
        for (const { taskId } of placed) fleet.place(taskId, hostId);
      }
      const after = snapshotOf(fleet);
      const unmet = new Set(plan.unmet);
      const { orders, stuck } = planCapacity(
        after,
        after.pending.filter(({ taskId }) => unmet.has(taskId)),
        fleet.now,
      );
      for (const { detail } of stuck) throw new Error(detail);
      launch(fleet, orders);
      const now = snapshotOf(fleet);
      const { drain, needed } = planDrains(now, fleet.now);
      const { retire, wakeAt } = planScaleIn(now, fleet.now, needed);
      for (const { hostId } of retire) {
        const host = fleet.hosts.get(hostId);
        if (host !== undefined && idleWait(poolOf(now), host).full) gaps.push(Number.POSITIVE_INFINITY);
        fleet.terminate(hostId);
      }
      if (drain.length > 0) empty(fleet, new Set(drain.map(({ hostId }) => hostId)));
      if (wakeAt !== undefined) fleet.wakeAt(wakeAt);
      launch(fleet, planReplacement(snapshotOf(fleet), fleet.now));
    },
  };

  function launch(fleet: Fleet, orders: readonly NewOrder[]): void {
    for (const { hosts, offers } of orders) {
      const type = byName.get(offers[0]?.instanceType ?? '');
      if (type === undefined) throw new Error('an order without a known type');
      for (let n = 0; n < hosts; n += 1) fleet.launch(type);
    }
  }

  /** Moves the hosts' tasks to others and gives the hosts back, as a drain does over a few passes. */
  function empty(fleet: Fleet, drained: ReadonlySet<string>): void {
    for (const hostId of drained)
      for (const id of Object.keys(fleet.hosts.get(hostId)?.claims ?? {})) fleet.evict(id);
    const all = snapshotOf(fleet);
    const plan = place({ ...all, hosts: all.hosts.filter(({ hostId }) => !drained.has(hostId)) }, fleet.now);
    for (const { hostId, tasks: placed } of plan.placements)
      for (const { taskId } of placed) fleet.place(taskId, hostId);
    for (const hostId of drained) fleet.terminate(hostId);
  }
}
