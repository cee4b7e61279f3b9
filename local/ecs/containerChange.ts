import type { ContainerChange } from '../hosts/backend.ts';
import type { ContainerRecord, TaskPatch, TaskRecord } from './records.ts';

const rank = { PENDING: 0, RUNNING: 1, STOPPED: 2 } as const;

/**
 * What a report about one container does to its task; undefined when it says nothing new. Reports may repeat and come
 * late after a restart: a container never goes back.
 */
export function applyChange(task: TaskRecord, change: ContainerChange, now: number): TaskPatch | undefined {
  const before = task.containers.find((container) => container.name === change.containerName);
  if (before === undefined || rank[change.status] < rank[before.lastStatus]) return undefined;
  const after = merge(before, change);
  if (JSON.stringify(after) === JSON.stringify(before)) return undefined;
  const containers = task.containers.map((container) => (container === before ? after : container));
  return {
    containers,
    ...(task.connectivityAt === undefined ? { connectivityAt: now } : {}),
    ...pullTimes(task, change, now),
    ...progress(task, containers, change, now),
    ...ending(task, containers, after, now),
  };
}

function merge(before: ContainerRecord, change: ContainerChange): ContainerRecord {
  const { runtimeId, imageDigest, exitCode, reason, networkBindings } = change;
  return {
    ...before,
    lastStatus: change.status,
    ...(runtimeId === undefined ? {} : { runtimeId }),
    ...(imageDigest === undefined ? {} : { imageDigest }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(reason === undefined ? {} : { reason }),
    ...(networkBindings === undefined
      ? {}
      : {
          networkBindings: networkBindings.map(({ bindIp, containerPort, hostPort, protocol }) => ({
            bindIP: bindIp,
            containerPort,
            hostPort,
            protocol,
          })),
        }),
  };
}

/** The image is pulled between the first sign of a container and its start. */
function pullTimes(task: TaskRecord, change: ContainerChange, now: number): TaskPatch {
  const started = change.startedAt ?? now;
  return {
    ...(task.pullStartedAt === undefined ? { pullStartedAt: Math.min(started, now) } : {}),
    ...(task.pullStoppedAt === undefined && change.status !== 'PENDING'
      ? { pullStoppedAt: Math.min(started, now) }
      : {}),
  };
}

function progress(
  task: TaskRecord,
  containers: readonly ContainerRecord[],
  change: ContainerChange,
  now: number,
): TaskPatch {
  if (containers.every((container) => container.lastStatus === 'STOPPED')) {
    const finished = change.finishedAt ?? now;
    return {
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      executionStoppedAt: Math.min(finished, now),
      stoppedAt: now,
      stoppingAt: task.stoppingAt ?? Math.min(finished, now),
      ...(task.startedAt === undefined && change.startedAt !== undefined
        ? { startedAt: change.startedAt }
        : {}),
    };
  }
  const isUp = containers.every((container) => container.lastStatus !== 'PENDING');
  if (!isUp || task.lastStatus !== 'PENDING') return {};
  return { lastStatus: 'RUNNING', startedAt: change.startedAt ?? now };
}

/** An essential container's end is the task's: by itself, or because it never came up. */
function ending(
  task: TaskRecord,
  containers: readonly ContainerRecord[],
  changed: ContainerRecord,
  now: number,
): TaskPatch {
  if (task.desiredStatus === 'STOPPED' || changed.lastStatus !== 'STOPPED') return {};
  const isLast = containers.every((container) => container.lastStatus === 'STOPPED');
  if (!changed.essential && !isLast) return {};
  // A container that has run has an exit code; one that could not be pulled, created or started has only a reason.
  const neverRan = changed.exitCode === undefined && changed.reason !== undefined;
  return {
    desiredStatus: 'STOPPED',
    stoppingAt: now,
    ...(neverRan
      ? { stopCode: 'TaskFailedToStart', stoppedReason: 'Task failed to start' }
      : { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' }),
  };
}
