import { hostCost } from '../domain/capacity/hostCost.ts';
import type { EndedHost, LeavingHost } from '../domain/model/host.ts';
import type { CapacityOrder, Pool } from '../domain/model/pool.ts';
import type { Task } from '../domain/model/task.ts';
import type { Problem } from '../events/problem.ts';
import type { OutgoingEvent } from '../ports/bus.ts';

/** The part of a task that its events carry. */
const detailOf = (task: Task) => ({
  taskId: task.taskId,
  cluster: task.cluster,
  source: task.source,
  idempotencyKey: task.idempotencyKey,
  ordinal: task.ordinal,
  taskDefinition: task.spec.taskDefinition,
  state: task.state,
  attempt: task.attempt,
  reason: task.reason,
  ...(task.hostId !== undefined && { hostId: task.hostId }),
  ...(task.ecsTaskArn !== undefined && { ecsTaskArn: task.ecsTaskArn }),
  ...(task.exitCode !== undefined && { exitCode: task.exitCode }),
  acceptedAt: task.acceptedAt,
  ...(task.placedAt !== undefined && { placedAt: task.placedAt }),
  ...(task.startedAt !== undefined && { startedAt: task.startedAt }),
  ...(task.endedAt !== undefined && { endedAt: task.endedAt }),
  tags: task.spec.tags,
});

const stateEvents: Readonly<Record<Task['state'], string | undefined>> = {
  BLOCKED: undefined,
  PENDING: undefined,
  PLACED: 'Task Placed',
  RUNNING: 'Task Running',
  SUCCEEDED: 'Task Succeeded',
  FAILED: 'Task Failed',
  CANCELLED: 'Task Cancelled',
};

function started(after: Task): OutgoingEvent {
  const { endedAt: _, exitCode: __, ...detail } = detailOf(after);
  return {
    detailType: 'Task Running',
    detail: {
      ...detail,
      state: 'RUNNING',
      reason: { code: 'RUNNING', detail: `ran on ${after.hostId ?? 'its host'}` },
    },
    resources: after.ecsTaskArn === undefined ? [] : [after.ecsTaskArn],
  };
}

/**
 * What a change of a task's record says to the world. `before` is absent for a new record. A change that nobody needs
 * to hear of (an ARN learned, a host's answer noted) announces nothing.
 */
export function announceTask(before: Task | undefined, after: Task): OutgoingEvent[] {
  const event = (detailType: string): OutgoingEvent => ({
    detailType,
    detail: detailOf(after),
    resources: after.ecsTaskArn === undefined ? [] : [after.ecsTaskArn],
  });
  if (!before) return [event('Task Accepted')];
  if (after.state === 'PENDING') {
    const waits = after.reason.code === 'WAITING' || after.reason.code === 'BACKOFF';
    const news = before.state !== 'PENDING' || before.reason.detail !== after.reason.detail;
    return waits && news ? [event('Task Waiting')] : [];
  }
  const detailType = stateEvents[after.state];
  const moved = before.state !== after.state || before.attempt !== after.attempt;
  if (!moved || detailType === undefined) return [];
  // A process may be over before its start is on record; whoever counts starts still hears of it.
  const ranUnseen = before.state === 'PLACED' && after.endedAt !== undefined && after.startedAt !== undefined;
  return ranUnseen ? [started(after), event(detailType)] : [event(detailType)];
}

/** Hosts were bought for a pool, or given back. */
const clusterScaled = (
  cluster: string,
  pool: string,
  direction: 'out' | 'in',
  hosts: readonly {
    readonly hostId: string;
    readonly instanceType: string;
    readonly zone: string;
    readonly lifecycle: string;
  }[],
  reason: string,
): OutgoingEvent => ({
  detailType: 'Cluster Scaled',
  detail: {
    cluster,
    pool,
    direction,
    reason,
    hosts: hosts.map(({ hostId, instanceType, zone, lifecycle }) => ({
      hostId,
      instanceType,
      zone,
      lifecycle,
    })),
  },
  resources: hosts.map(({ hostId }) => hostId),
});

/** PutEvents takes 256 KiB in one call: so many hosts are far below that. */
const HOSTS_AN_EVENT = 500;

/** An order is closed: what EC2 sold is on record. Whoever closes it may die right after. */
export function announcePurchase(before: CapacityOrder | undefined, after: CapacityOrder): OutgoingEvent[] {
  if (before?.state !== 'OPEN' || before.orderId !== after.orderId || after.state === 'OPEN') return [];
  const hosts = after.bought.flatMap(({ hostIds, ...kind }) =>
    hostIds.map((hostId) => ({ hostId, ...kind })),
  );
  return Array.from({ length: Math.ceil(hosts.length / HOSTS_AN_EVENT) }, (_, part) => {
    const some = hosts.slice(part * HOSTS_AN_EVENT, (part + 1) * HOSTS_AN_EVENT);
    return clusterScaled(after.cluster, after.pool, 'out', some, after.reason);
  });
}

/** A host was taken out of service for good, by whoever found it idle, overdue, silent or gone. */
export const announceLeaving = (host: LeavingHost): OutgoingEvent[] => [
  clusterScaled(host.cluster, host.pool, 'in', [host], host.stateReason),
];

/** A host is gone: what it was, how long it lasted and what it cost. */
export function announceEnd(host: EndedHost): OutgoingEvent[] {
  const { stateReason: reason, ...facts } = host;
  const detail = { ...facts, reason, ...hostCost(host, host.endedAt) };
  return [{ detailType: 'Host Ended', detail, resources: [host.hostId] }];
}

/** What a change of a pool's record says to the world: its new target, and the alarm behind it. */
export function announcePool(before: Pool | undefined, after: Pool): OutgoingEvent[] {
  const [from, to] = [before?.desiredHosts, after.desiredHosts];
  if (from === undefined || from === to) return [];
  const alarm = Object.entries(after.alarms ?? {}).find(
    ([name, { at }]) => before?.alarms?.[name]?.at !== at,
  );
  const reason = alarm ? `alarm ${alarm[0]} is ${alarm[1].state}` : "the pool's settings changed";
  const { cluster, name: pool } = after;
  const direction = to > from ? 'out' : 'in';
  const detail = { cluster, pool, direction, reason, target: { from, to }, hosts: [] };
  return [{ detailType: 'Cluster Scaled', detail, resources: [] }];
}

/** A request was not accepted: what was wrong with it, for whoever sent it. */
export const taskRejected = (
  origin: {
    readonly eventId: string;
    readonly source: string;
    readonly cluster?: string;
    readonly idempotencyKey?: string;
  },
  problems: readonly Problem[],
): OutgoingEvent => ({
  detailType: 'Task Rejected',
  detail: { ...origin, problems: problems.map(({ field, rule, fix }) => ({ field, rule, fix })) },
  resources: [],
});
