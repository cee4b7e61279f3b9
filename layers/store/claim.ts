import { holdKey } from '../domain/lifecycle/hold.ts';
import type { Claim } from '../domain/model/host.ts';
import { minus, plus, type Resources } from '../domain/model/resources.ts';
import type { ClaimRequest, HostStore } from '../ports/store.ts';
import { claimOutcome } from './claimOutcome.ts';
import { toImage, Update } from './expression.ts';
import { pack } from './hostItem.ts';
import { taskKey } from './keys.ts';
import { attemptIn, leaveQueue } from './moveTask.ts';
import { keysOfHost } from './readHosts.ts';
import { seatGroups, takeSeats } from './seats.ts';
import { type Table, transact } from './tableAccess.ts';

/** A transaction holds 100 items, one of which is the host. */
export const MAX_TASKS_PER_CLAIM = 99;
/** DynamoDB's limit on an expression; reached first by dozens of fixed host ports beside dozens of tasks. */
const MAX_EXPRESSION_BYTES = 4096;

/**
 * One transaction: the host gives up capacity and the tasks become PLACED, or nothing happens. Guards compare what is
 * LEFT with the whole request's demand, because a condition cannot add.
 */
export const claim =
  (table: Table): HostStore['claim'] =>
  async (request) => {
    checkBounds(request);
    if (request.tasks.length === 0) return { outcome: 'claimed' };
    const crowded = crowdedTasks(request);
    if (crowded.length > 0) return { outcome: 'cap-reached', taskIds: crowded };
    const keys = await keysOfHost(table, request.cluster, request.hostId);
    const ports = portsOf(request);
    // The guard compares with the ports in use before the claim; two of its own tasks on one port would both pass.
    if (new Set(ports).size < ports.length) return claimOutcome(table, keys, request, []);
    const groups = seatGroups(request.tasks);
    const refusals = await transact(table, [
      { Update: { TableName: table.name, Key: toImage({ ...keys.hot }), ...hostUpdate(request, ports) } },
      ...request.tasks.map((task) => ({
        Update: {
          TableName: table.name,
          Key: toImage({ ...taskKey(task.taskId) }),
          ...taskUpdate(request, task),
        },
      })),
      ...groups.map((group) => takeSeats(table, request.cluster, group)),
    ]);
    return refusals === undefined ? { outcome: 'claimed' } : claimOutcome(table, keys, request, refusals);
  };

/** What the tasks need beyond what is held for them; never negative, as no hold exceeds its heir's demand. */
export const demandOf = (request: ClaimRequest): Resources =>
  request.tasks.reduce<Resources>((sum, task) => plus(sum, minus(task.demand, task.hold?.demand ?? {})), {});

/** The ports that must be unused: those of the tasks, less those held for them. */
export const portsOf = ({ tasks }: ClaimRequest): string[] =>
  tasks.flatMap(({ hostPorts, hold }) => hostPorts.filter((port) => !hold?.hostPorts.includes(port)));

/** Tasks that are too many for their own maximums, whoever holds a place. */
export const crowdedTasks = ({ tasks }: ClaimRequest): string[] =>
  seatGroups(tasks).flatMap(({ mostTaken, taskIds }) => (mostTaken < 0 ? taskIds : []));

/** What a claim of these tasks writes beside the host. */
const itemsOf = ({ tasks }: ClaimRequest): number => tasks.length + seatGroups(tasks).length;

export function checkBounds(request: ClaimRequest): void {
  const ids = new Set(request.tasks.map(({ taskId }) => taskId));
  if (itemsOf(request) > MAX_TASKS_PER_CLAIM) {
    throw new RangeError(
      `a claim holds at most ${MAX_TASKS_PER_CLAIM} tasks and keys, not ${itemsOf(request)}`,
    );
  }
  if (ids.size < request.tasks.length) throw new RangeError('a claim names a task twice');
}

function hostUpdate(request: ClaimRequest, ports: readonly string[]) {
  const update = new Update();
  const demand = demandOf(request);
  const guards = [
    update.equals(update.path('state'), 'READY'),
    update.equals(update.path('epoch'), request.epoch),
  ];
  for (const [dimension, amount] of Object.entries(demand)) {
    if (amount <= 0) continue;
    const [left, value] = [update.path('left', dimension), update.value(amount)];
    // A dimension the host does not have compares as false, which is what "zero left" has to mean.
    guards.push(`${left}>=${value}`);
    update.assign(left, `${left}-${value}`);
  }
  for (const port of ports) guards.push(`NOT contains(${update.path('ports')},${update.value(port)})`);
  update.addToSet('ports', ports);
  for (const task of request.tasks) {
    const slot = update.path('claims', task.taskId);
    guards.push(`attribute_not_exists(${slot})`);
    update.set(slot, pack(claimOf(request, task)));
    if (task.hold === undefined) continue;
    const key = holdKey(task.taskId);
    guards.push(update.equals(update.path('claims', key, 'a'), task.attempt));
    guards.push(update.equals(update.path('claims', key, 'd'), task.hold.demand));
    update.remove(update.path('claims', key));
  }
  update.remove(update.path('idleSince'));
  const condition = guards.join(' AND ');
  if (condition.length > MAX_EXPRESSION_BYTES) {
    throw new RangeError(
      `a claim of ${request.tasks.length} tasks and ${ports.length} host ports is too large`,
    );
  }
  return { UpdateExpression: update.text, ConditionExpression: condition, ...returned, ...update.attributes };
}

export const claimOf = (request: ClaimRequest, task: ClaimRequest['tasks'][number]): Claim => ({
  taskId: task.taskId,
  attempt: task.attempt,
  demand: task.demand,
  hostPorts: task.hostPorts,
  claimedAt: request.nowMs,
  group: task.group,
  priority: task.priority,
  interruptible: task.interruptible,
  ...(task.source !== undefined && { source: task.source }),
  ...(task.constrained === true && { constrained: true }),
});

function taskUpdate(request: ClaimRequest, task: ClaimRequest['tasks'][number]) {
  const update = new Update();
  const { hostId, nowMs, reason } = request;
  update.setAll({ state: 'PLACED', hostId, placedAt: nowMs, reason, cpuOvercommit: task.cpuOvercommit });
  leaveQueue(update);
  update.remove(update.path('notBefore'));
  return {
    UpdateExpression: update.text,
    ConditionExpression: attemptIn(update, task, ['PENDING']),
    ...returned,
    ...update.attributes,
  };
}

const returned = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
