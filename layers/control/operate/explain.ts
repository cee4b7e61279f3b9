import type { WaitExplanation } from '../../domain/model/reason.ts';
import { isTerminal, type Task } from '../../domain/model/task.ts';
import { cappedWords, holdersWords } from '../../domain/placement/caps.ts';
import { shareWords } from '../../domain/placement/fairShare.ts';
import { place } from '../../domain/placement/place.ts';
import { listArriving } from '../arrivals.ts';
import { heldWords, settleHolds } from '../preempt.ts';
import { loadSnapshot } from '../snapshot.ts';
import type { World } from '../world.ts';

/** Why a task is where it is, counted afresh on the cluster as it stands. */
export interface Explanation {
  readonly task: Task;
  /** One sentence for a person. */
  readonly summary: string;
  /** Only while it waits. */
  readonly waiting?: WaitExplanation;
  /** Pending tasks that are more urgent, or older. */
  readonly ahead?: number;
  /** What its source's turn among others depends on; absent while it has the cluster to itself. */
  readonly share?: string;
}

export async function explainTask(
  world: Pick<World, 'store' | 'clock'>,
  taskId: string,
): Promise<Explanation | undefined> {
  const task = await world.store.getTask(taskId);
  if (!task) return undefined;
  const since = (fromMs: number | undefined): string =>
    fromMs === undefined ? '' : ` for ${((world.clock.now() - fromMs) / 1000).toFixed(1)} s`;
  if (isTerminal(task.state)) {
    return { task, summary: `It has ended: ${task.state}, ${task.reason.detail}.` };
  }
  const givenUp = await leavingWords(world, task);
  if (givenUp !== undefined) return { task, summary: givenUp };
  if (task.state === 'PLACED') {
    return {
      task,
      summary: `Attempt ${task.attempt} is being launched on ${task.hostId}${since(task.placedAt)}: ${task.reason.detail}.`,
    };
  }
  if (task.state === 'RUNNING') {
    const stopping = task.stopRequested ? `, and is being stopped: ${task.stopRequested.detail}` : '';
    return {
      task,
      summary: `Attempt ${task.attempt} runs on ${task.hostId}${since(task.startedAt)}${stopping}.`,
    };
  }
  if (task.state === 'BLOCKED') {
    const ids = task.spec.after.map((dependency) => dependency.taskId);
    const open = (await world.store.getTasks(ids)).filter((other) => !isTerminal(other.state));
    const names = open.map((other) => `${other.taskId} (${other.state})`).join(', ');
    return { task, summary: `It waits for ${open.length} of ${ids.length} tasks to end: ${names}.` };
  }
  const cluster = await world.store.getCluster(task.cluster);
  if (!cluster) return { task, summary: `It waits, and its cluster ${task.cluster} is no longer on record.` };
  if (cluster.paused)
    return { task, summary: `It waits because the cluster ${cluster.name} is paused; resume it to go on.` };
  if (cluster.pausedSources?.includes(task.source))
    return { task, summary: `It waits because the source ${task.source} is paused; resume it to go on.` };
  const arriving = (await listArriving(world, cluster)).map((other) => other.taskId);
  const held = await settleHolds(world, (await loadSnapshot(world, cluster, [taskId, ...arriving])).snapshot);
  const { snapshot } = held;
  const heldPlace = held.open.find(({ heir }) => heir === taskId);
  if (heldPlace) return { task, summary: `It waits: ${heldWords(heldPlace)}.` };
  const plan = place(snapshot, world.clock.now());
  const wait = plan.waits.find((candidate) => candidate.taskId === taskId);
  const ahead = snapshot.pending.filter(
    (other) =>
      other.spec.priority > task.spec.priority ||
      (other.spec.priority === task.spec.priority && other.acceptedAt < task.acceptedAt),
  ).length;
  const words = shareWords(snapshot, task.source, world.clock.now());
  const share = words === undefined ? {} : { share: words };
  if (!wait) {
    if (task.reason.code === 'BACKOFF' && (task.notBefore ?? 0) > world.clock.now()) {
      const seconds = (((task.notBefore ?? 0) - world.clock.now()) / 1000).toFixed(1);
      return {
        task,
        ahead,
        ...share,
        summary: `It waits ${seconds} s more before attempt ${task.attempt}: ${task.reason.detail}.`,
      };
    }
    return { task, ahead, ...share, summary: 'It fits a host and is placed by the next pass.' };
  }
  if (task.spec.concurrency !== undefined && wait.explanation.next === cappedWords(task)) {
    return {
      task,
      ahead,
      ...share,
      waiting: wait.explanation,
      summary: `It waits: ${holdersWords(task, snapshot.holders)}.`,
    };
  }
  // What no host can hold is `provision`'s to explain: it knows what can be bought, and has put that on record.
  const told =
    plan.unmet.includes(taskId) && task.reason.code === 'WAITING' ? task.reason.explanation.next : undefined;
  const waiting = told === undefined ? wait.explanation : { ...wait.explanation, next: told };
  return { task, ahead, ...share, waiting, summary: sentenceOf(waiting) };
}

/** An attempt on a host that is given up may be on record as running long after ECS has lost it: the next one waits for EC2. */
async function leavingWords({ store }: Pick<World, 'store'>, task: Task): Promise<string | undefined> {
  if (task.hostId === undefined || (task.state !== 'PLACED' && task.state !== 'RUNNING')) return undefined;
  const host = await store.getHost(task.cluster, task.hostId);
  if (host?.state !== 'TERMINATING') return undefined;
  return `Attempt ${task.attempt} is on ${host.hostId}, which is given up: ${host.stateReason}. It counts as over, and another may begin, when EC2 says that the instance is gone.`;
}

/** `0 of 3 hosts can take it: 2 lack cpu, 1 is not READY. Closest is i-..., which lacks 512 cpu. Next: ...` */
export function sentenceOf(explanation: WaitExplanation): string {
  const { hostsConsidered, refusals, closest, next } = explanation;
  const counts = Object.entries(refusals)
    .sort(([, a], [, b]) => b - a)
    .map(([cause, hosts]) => `${hosts} ${cause}`)
    .join(', ');
  const lacks = Object.entries(closest?.lacks ?? {})
    .map(
      ([dimension, amount]) =>
        `${amount} ${dimension === 'memory' ? 'MiB memory' : dimension === 'cpu' ? 'CPU units' : dimension}`,
    )
    .join(' and ');
  return [
    `0 of ${hostsConsidered} hosts can take it${counts && `: ${counts}`}.`,
    closest
      ? `Closest is ${closest.hostId}, ${lacks ? `which lacks ${lacks}` : `refused by ${closest.refusal}`}.`
      : '',
    `Next: ${next}.`,
  ]
    .filter(Boolean)
    .join(' ');
}
