import { isTerminal, type Task } from '../../layers/domain/model/task.ts';
import type { Accounts } from './accounts.ts';
import type { Announcements } from './announcements.ts';
import type { Invariant, Violation } from './checker.ts';
import type { Cloud } from './cloud.ts';
import type { MemoryTables } from './memoryTables.ts';
import { type SimPlan, type SimRequest, taskIdsOf } from './plan.ts';

export interface Ending {
  readonly plan: SimPlan;
  readonly tables: MemoryTables;
  readonly cloud: Cloud;
  /** Messages that wait and that were given up, by queue. */
  readonly waiting: Readonly<Record<string, number>>;
  readonly desiredHosts: number;
  readonly announcements?: Announcements;
  readonly accounts: Accounts;
  readonly skewMs: number;
  readonly now: number;
}

/** The end state's violations; empty when everything that was asked for was done once and nothing is left over. */
export function judgeEnding(ending: Ending): Violation[] {
  const { plan, tables, cloud, waiting, desiredHosts, now } = ending;
  const violations: Violation[] = [];
  const fail = (invariant: Invariant, detail: string, about: readonly string[] = []): void => {
    violations.push({ invariant, detail, about, atMs: now });
  };
  const expected = new Set(plan.requests.flatMap(taskIdsOf));
  for (const taskId of expected)
    if (!tables.tasks.has(taskId)) fail('accepted', `${taskId} is not on record`, [taskId]);
  for (const task of tables.tasks.values()) {
    if (!expected.has(task.taskId)) fail('accepted', `nobody asked for ${task.taskId}`, [task.taskId]);
    if (!isTerminal(task.state)) {
      fail('allEnd', `${task.taskId} is ${task.state}: ${task.reason.detail}`, [
        task.taskId,
        task.hostId ?? '',
      ]);
    }
  }
  const hosts = [...tables.hosts.values()].flatMap((cluster) => [...cluster.values()]);
  for (const host of hosts) {
    const claims = Object.keys(host.claims);
    if (claims.length > 0)
      fail('noClaims', `${host.hostId} is claimed by ${claims.join(', ')}`, [host.hostId, ...claims]);
  }
  for (const hostId of cloud.processes.hosts.instanceIds) {
    for (const arn of cloud.processes.hosts.running(hostId))
      fail('ecsAgrees', `${arn} runs on ${hostId}`, [hostId]);
  }
  // A registration that nobody looks after any more keeps its tasks RUNNING for ever, long after their host.
  for (const { instanceId, launch } of cloud.ecs.liveTasks())
    fail('ecsAgrees', `ECS calls ${launch.taskArn} on ${instanceId} under way`, [instanceId]);
  const records = new Set(hosts.map(({ hostId }) => hostId));
  const instances = [...cloud.machines.instances.values()].filter(({ state }) => state !== 'terminated');
  for (const { hostId, state } of instances) {
    if (!records.has(hostId))
      fail('noOrphans', `the instance ${hostId} is ${state} without a record`, [hostId]);
  }
  const running = new Set(instances.map(({ hostId }) => hostId));
  for (const hostId of records)
    if (!running.has(hostId)) fail('noOrphans', `${hostId} has no instance`, [hostId]);
  const recorded = new Map(hosts.map((host) => [host.hostId, host]));
  const bills = ending.accounts.differences(cloud.machines.instances.values(), recorded, ending.skewMs);
  for (const { hostId, what } of bills) fail('costAccounted', `${hostId} ${what}`, [hostId]);
  if (hosts.length > desiredHosts) {
    const kept = hosts.map((host) => `${host.hostId} ${host.state}`).join(', ');
    fail('idleGone', `${hosts.length} hosts are kept, ${desiredHosts} wanted: ${kept}`, [...records]);
  }
  for (const [queue, depth] of Object.entries(waiting)) {
    if (depth > 0) fail('queuesEmpty', `${depth} messages are left in ${queue}`);
  }
  const hasRun = (taskId: string, attempt: number): boolean =>
    cloud.processes.byTask.get(taskId)?.some((process) => process.attempt === attempt) ?? false;
  for (const what of ending.announcements?.invented(hasRun) ?? []) {
    fail('announced', `${what} was announced and never on record`, what.split(' ').slice(0, 1));
  }
  for (const what of ending.announcements?.missing() ?? []) {
    fail('announced', `${what} was never announced`, what.split(' ').slice(0, 1));
  }
  judgeTasks(plan, tables, cloud, fail);
  if (ending.announcements !== undefined) judgeArrays(plan, tables, fail);
  return violations;
}

/** Each task's end against what its processes did. */
function judgeTasks(
  plan: SimPlan,
  tables: MemoryTables,
  cloud: Cloud,
  fail: (invariant: Invariant, detail: string, about: readonly string[]) => void,
): void {
  for (const request of plan.requests) {
    for (const taskId of taskIdsOf(request)) {
      const task = tables.tasks.get(taskId);
      if (task === undefined) continue;
      const processes = cloud.processes.byTask.get(taskId) ?? [];
      const succeeded = processes.some(({ exitCode }) => exitCode === 0);
      // The last attempt is not counted: the task's end is recorded instead.
      if (task.state === 'FAILED' && task.attemptsUsed + 1 < request.maxAttempts && !isFinal(task, request)) {
        fail(
          'rightEnd',
          `${taskId} failed with ${task.attemptsUsed} of ${request.maxAttempts} attempts: ${task.reason.detail}`,
          [taskId],
        );
      }
      const timedOut = task.reason.code === 'STOPPED' && task.reason.cause === 'TIMEOUT';
      if (task.state === 'FAILED' && !timedOut && succeeded && processes.at(-1)?.exitCode === 0) {
        fail('rightEnd', `${taskId} is called FAILED and its last process exited with 0`, [taskId]);
      }
    }
  }
}

/** As often as the image is tried that cannot be pulled, by default. */
const MAX_PULLS = 3;

/** It ends before its attempts are used up: by what it waits for, its image, or an exit code that is not tried again. */
function isFinal({ reason, exitCode }: Task, { retryOnExit, behaviour }: SimRequest): boolean {
  if (reason.code === 'DEPENDENCY_FAILED') return true;
  if (reason.code === 'STOPPED' && reason.cause === 'IMAGE_PULL')
    return (behaviour.pullFailures ?? 0) >= MAX_PULLS;
  return retryOnExit !== undefined && exitCode !== undefined && !retryOnExit.includes(exitCode);
}

/** Members are counted from the stream, which is read only where changes are announced. */
function judgeArrays(
  plan: SimPlan,
  tables: MemoryTables,
  fail: (invariant: Invariant, detail: string, about: readonly string[]) => void,
): void {
  for (const request of plan.requests.filter(({ array }) => array === true)) {
    const taskIds = taskIdsOf(request);
    const states = taskIds.map((taskId) => tables.tasks.get(taskId)?.state);
    const [succeeded, failed, cancelled] = ['SUCCEEDED', 'FAILED', 'CANCELLED'].map(
      (state) => states.filter((each) => each === state).length,
    );
    const array = tables.arrays.get(taskIds[0] ?? '');
    const counts = [array?.succeeded, array?.failed, array?.cancelled];
    if (counts.join() !== [succeeded, failed, cancelled].join())
      fail('arrayCounted', `${request.key} counts ${counts.join()} of ${states.join()}`, taskIds);
  }
}
