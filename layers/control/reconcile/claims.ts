import type { Claim, Host } from '../../domain/model/host.ts';
import { isTerminal, type Task } from '../../domain/model/task.ts';
import type { ObservedTask } from '../../ports/containers.ts';
import { concurrently } from '../concurrently.ts';
import { refOf } from '../launch.ts';
import { observeTask } from '../observeTask.ts';
import { type Release, Releases } from '../releases.ts';
import { settleAttempt } from '../settleAttempt.ts';
import { deadlineOf, requestTimeout, wakeAtDeadline } from '../timeouts.ts';
import type { World } from '../world.ts';
import { ABSENCE_PROOF_MS } from './hosts.ts';
import type { Repairs } from './repairs.ts';

const CHECKED_AT_ONCE = 10;
/** The next round is a minute off: a deadline before it gets a wake of its own. */
const ROUND_MS = 60_000;
/** A launch this old without an answer on record is repeated: the pass that made it was cut off. */
const LAUNCH_LIMIT_MS = 15_000;

/**
 * Every claim leads to a task, so that whatever is under way is found here. Returns the ids whose launch is to be
 * repeated.
 */
export async function reconcileClaims(
  world: World,
  hosts: readonly Host[],
  observed: ReadonlyMap<string, ObservedTask>,
  repairs: Repairs,
): Promise<string[]> {
  // Room held for a task in the queue is looked after by every pass.
  const claims = hosts.flatMap((host) =>
    Object.values(host.claims)
      .filter(({ hold }) => hold === undefined)
      .map((claim) => ({ host, claim })),
  );
  const tasks = new Map(
    (await world.store.getTasks(claims.map(({ claim }) => claim.taskId))).map((task) => [task.taskId, task]),
  );
  const relaunch: string[] = [];
  const releases = new Releases(world);
  const voids = new Set<string>();
  const release = releases.of('reconcile');
  const check = async ({ host, claim }: (typeof claims)[number]): Promise<void> => {
    const task = tasks.get(claim.taskId);
    if (!task || isVoid(task, host, claim)) {
      voids.add(claim.taskId);
      await release({ ...claim, cluster: host.cluster, hostId: host.hostId });
      return;
    }
    const seen = observed.get(refOf(task));
    const asked = await finishDrain(world, host, task);
    if (seen) {
      await applyMissed(world, asked, seen, repairs, release);
      await enforceStop(world, asked, seen, repairs);
      return;
    }
    const now = world.clock.now();
    if (task.ecsTaskArn === undefined) {
      if (now - claim.claimedAt > LAUNCH_LIMIT_MS) {
        relaunch.push(task.taskId);
        repairs.relaunches += 1;
      }
      return;
    }
    // When ECS made the task is not on record: until its start is, as long again is allowed for the launch.
    const madeBy = Math.max(
      claim.claimedAt + (task.startedAt === undefined ? ABSENCE_PROOF_MS : 0),
      task.startedAt ?? 0,
    );
    // Of a host that is given up only EC2 can say that nothing runs there.
    if (now - madeBy > ABSENCE_PROOF_MS && host.state !== 'TERMINATING') {
      await settleForgotten(world, task, repairs, release);
    }
  };
  try {
    await concurrently(claims, CHECKED_AT_ONCE, check);
  } finally {
    const released = await releases.giveAllBack();
    repairs.claimsReleased += released.filter((taskId) => voids.has(taskId)).length;
  }
  return relaunch;
}

/** A claim is void when its task has ended, has moved to another attempt or stands on another host. */
const isVoid = (task: Task, host: Host, claim: Claim): boolean =>
  isTerminal(task.state) ||
  task.attempt !== claim.attempt ||
  (task.state !== 'PENDING' && task.hostId !== host.hostId);

/** Whoever drains a host may be cut off between its state and its tasks: what may be moved is asked to stop here. */
async function finishDrain(world: World, host: Host, task: Task): Promise<Task> {
  if (host.state !== 'DRAINING' || !task.spec.interruptible || task.stopRequested !== undefined) return task;
  const detail = `moved off ${host.hostId}, ${host.stateReason}`;
  const asked = await world.store.requestStop(task.taskId, { code: 'PREEMPTED', detail }, task.attempt);
  return asked.outcome === 'applied' ? asked.current : task;
}

async function applyMissed(
  world: World,
  task: Task,
  seen: ObservedTask,
  repairs: Repairs,
  release: Release,
): Promise<void> {
  const behind =
    seen.lastStatus === 'STOPPED' ||
    task.ecsTaskArn === undefined ||
    (seen.lastStatus === 'RUNNING' && task.state === 'PLACED');
  if (!behind) return;
  const outcome = await observeTask(world, seen, release);
  if (outcome === 'freed') repairs.attemptsSettled += 1;
  else if (outcome === 'recorded') repairs.attemptsRecorded += 1;
}

/** A timeout holds even when every event is silent, and a stop that was asked for is asked for again until it happens. */
async function enforceStop(world: World, task: Task, seen: ObservedTask, repairs: Repairs): Promise<void> {
  if (seen.lastStatus === 'STOPPED' || seen.desiredStatus === 'STOPPED') return;
  const deadline = deadlineOf(task, task.startedAt ?? seen.startedAt);
  let request = task.stopRequested;
  if (!request && deadline !== undefined) {
    if (world.clock.now() < deadline) return wakeAtDeadline(world, task, deadline, ROUND_MS);
    request = await requestTimeout(world, task);
    repairs.timeouts += 1;
  }
  if (request) await world.containers.stop(task.cluster, seen.ecsTaskArn, request.detail);
}

/** ECS forgets a stopped task after an hour: one that it does not know although it was launched has ended unseen. */
async function settleForgotten(world: World, task: Task, repairs: Repairs, release: Release): Promise<void> {
  const arn = task.ecsTaskArn as string;
  const [seen] = await world.containers.describeTasks(task.cluster, [arn]);
  if (seen) {
    await observeTask(world, seen, release);
    return;
  }
  const detail = `ECS no longer knows ${arn}; its end was not seen`;
  await settleAttempt(world, task, { cause: 'HOST_LOST', detail }, {}, release);
  repairs.attemptsSettled += 1;
}
