import { type Claim, type Host, sourceTag } from '../domain/model/host.ts';
import type { HostPlacement, PlacementPlan } from '../domain/model/plan.ts';
import type { Reason } from '../domain/model/reason.ts';
import type { Snapshot } from '../domain/model/snapshot.ts';
import type { Task } from '../domain/model/task.ts';
import { isConstrained } from '../domain/placement/constrained.ts';
import { setAside } from '../domain/placement/overcommit.ts';
import { whyPenalised } from '../domain/placement/penalty.ts';
import type { ClaimRequest } from '../ports/store.ts';
import { concurrently } from './concurrently.ts';
import { launchTask } from './launch.ts';
import type { PassWorld } from './world.ts';

/** DynamoDB takes 100 items a transaction, one of which is the host. */
const MAX_ITEMS_PER_CLAIM = 99;
const CLAIMS_AT_ONCE = 8;
const LAUNCHES_AT_ONCE = 10;

/** What came of a pass's placements. */
export interface Applied {
  readonly placedIds: Set<string>;
  launched: number;
  /** Tasks whose claim lost against something newer: still in the queue, to be planned anew. */
  readonly stale: string[];
  /** Placed tasks whose launch is to be repeated. */
  readonly again: string[];
  /** Hosts on which something was placed. */
  readonly claimed: Set<string>;
  /** Hosts that got room back, as ECS refused what was placed there. */
  readonly refused: Set<string>;
  /** Claims that lost against a change of their host. */
  lost: number;
}

/** The tasks a plan speaks of, and what hosts hold for some of them. */
interface Known {
  readonly byId: ReadonlyMap<string, Task>;
  readonly holds: ReadonlyMap<string, Claim>;
}

/** Claims what a plan places, host by host, and launches it, beside launches that were left open. */
export async function claimAndLaunch(
  world: PassWorld,
  snapshot: Snapshot,
  plan: PlacementPlan,
  known: Known,
  unfinished: readonly Task[],
): Promise<Applied> {
  const applied: Applied = {
    placedIds: new Set(),
    launched: 0,
    stale: [],
    again: [],
    claimed: new Set(),
    refused: new Set(),
    lost: 0,
  };
  const launch = async (task: Task): Promise<void> => {
    const result = await launchTask(world, task);
    if (result === 'again') applied.again.push(task.taskId);
    else if (result === 'replace') {
      applied.stale.push(task.taskId);
      if (task.hostId !== undefined) applied.refused.add(task.hostId);
    } else applied.launched += 1;
  };
  await concurrently(unfinished, LAUNCHES_AT_ONCE, launch);
  const wanted = new Set(plan.placements.map(({ hostId }) => hostId));
  const hosts = new Map(
    snapshot.hosts.filter(({ hostId }) => wanted.has(hostId)).map((host) => [host.hostId, host]),
  );
  const chunks = plan.placements.flatMap((placement) => chunked(placement, known.byId));
  const claimAndGo = async (chunk: HostPlacement): Promise<void> => {
    const host = hosts.get(chunk.hostId);
    const claimed = await claimChunk(world, snapshot.cluster.name, chunk, host, known, applied);
    for (const { taskId } of claimed) applied.placedIds.add(taskId);
    if (claimed.length > 0) applied.claimed.add(chunk.hostId);
    await concurrently(claimed, LAUNCHES_AT_ONCE, launch);
  };
  const isCapped = ({ tasks }: HostPlacement): boolean =>
    tasks.some(({ taskId }) => known.byId.get(taskId)?.spec.concurrency !== undefined);
  await concurrently(
    chunks.filter((chunk) => !isCapped(chunk)),
    CLAIMS_AT_ONCE,
    claimAndGo,
  );
  // One by one: two claims under one key would meet in its record, and each cancel the other.
  for (const chunk of chunks) if (isCapped(chunk)) await claimAndGo(chunk);
  return applied;
}

const claimed = (task: ClaimRequest['tasks'][number], hold: Claim | undefined) =>
  hold === undefined ? task : { ...task, hold: { demand: hold.demand, hostPorts: hold.hostPorts } };

/** Parts of what one transaction takes: each task is an item of it, and so is each of their concurrency keys. */
function chunked(placement: HostPlacement, byId: ReadonlyMap<string, Task>): HostPlacement[] {
  const chunks: HostPlacement['tasks'][number][][] = [];
  let items = MAX_ITEMS_PER_CLAIM;
  let keys = new Set<string>();
  for (const ref of placement.tasks) {
    const key = byId.get(ref.taskId)?.spec.concurrency?.key;
    const more = key === undefined || keys.has(key) ? 1 : 2;
    if (items + more > MAX_ITEMS_PER_CLAIM) {
      chunks.push([]);
      keys = new Set();
      items = 0;
    }
    chunks.at(-1)?.push(ref);
    items += key === undefined || keys.has(key) ? 1 : 2;
    if (key !== undefined) keys.add(key);
  }
  return chunks.map((tasks) => ({ ...placement, tasks }));
}

/**
 * Claims a host for a chunk of tasks; tasks that have moved on are left out once and the rest tried again. Returns the
 * tasks as they now stand, PLACED.
 */
async function claimChunk(
  world: PassWorld,
  cluster: string,
  placement: HostPlacement,
  host: Host | undefined,
  { byId, holds }: Known,
  applied: Applied,
): Promise<Task[]> {
  const { store, clock, metrics } = world;
  const against = host && whyPenalised(host, clock.now());
  const although = against === undefined ? '' : `, although ${against}`;
  const factor = host?.cpuOvercommit;
  // What is held for a task is all it asks.
  const factorOf = ({ taskId }: Task): Pick<Task, 'cpuOvercommit'> =>
    factor === undefined || holds.has(taskId) ? {} : { cpuOvercommit: factor };
  const shared =
    factor === undefined ? '' : `, whose CPU is promised up to ${factor} times as measured use allows`;
  const reason: Reason = { code: 'PLACED', detail: `placed on ${placement.hostId}${shared}${although}` };
  let tasks = placement.tasks.flatMap((ref) => byId.get(ref.taskId) ?? []);
  for (let round = 0; round < 2 && tasks.length > 0; round += 1) {
    const now = clock.now();
    const outcome = await store.claim({
      cluster,
      hostId: placement.hostId,
      epoch: placement.epoch,
      nowMs: now,
      reason,
      tasks: tasks.map((task) => {
        const { taskId, attempt, source, spec } = task;
        const { cpuOvercommit } = factorOf(task);
        return claimed(
          {
            taskId,
            attempt,
            demand: setAside(spec.demand, cpuOvercommit),
            ...factorOf(task),
            hostPorts: spec.hostPorts,
            group: spec.group,
            priority: spec.priority,
            interruptible: spec.interruptible,
            source: sourceTag(source),
            ...(isConstrained(spec.placement) && { constrained: true }),
            ...(spec.concurrency !== undefined && { concurrency: spec.concurrency }),
          },
          holds.get(taskId),
        );
      }),
    });
    metrics.count('Claims', 1, { outcome: outcome.outcome });
    switch (outcome.outcome) {
      case 'claimed':
        return tasks.map((task) => ({
          ...task,
          state: 'PLACED',
          reason,
          hostId: placement.hostId,
          placedAt: now,
          ...factorOf(task),
        }));
      case 'host-changed':
        applied.lost += 1;
        applied.stale.push(...tasks.map((task) => task.taskId));
        return [];
      case 'cap-reached': {
        // Others have taken the seats since the snapshot: the next pass finds whether any is left.
        const full = new Set(outcome.taskIds);
        applied.stale.push(...full);
        tasks = tasks.filter((task) => !full.has(task.taskId));
        break;
      }
      case 'tasks-changed': {
        const moved = new Set(outcome.taskIds);
        tasks = tasks.filter((task) => !moved.has(task.taskId));
        break;
      }
    }
  }
  applied.stale.push(...tasks.map((task) => task.taskId));
  return [];
}
