import * as v from 'valibot';
import type { TaskRequest } from '../layers/domain/isolation/desired.ts';
import { type IsolationProfile, LAUNCH_ENVIRONMENT } from '../layers/domain/isolation/profile.ts';
import { isolation } from '../layers/events/taskRequested/isolation.ts';
import type { ContainerInspection } from './dockerApi.ts';

/** What one container tells of its task. */
export interface ContainerView {
  readonly containerId: string;
  readonly name: string;
  readonly taskArn: string;
  /** Of the task definition. */
  readonly family?: string;
  /** The task's cgroup, as a path below the mount; absent when ECS made none (no task limits on v2, foreign parents). */
  readonly taskCgroup?: string;
  /** Berth's own id; absent for tasks that others launched. */
  readonly taskId?: string;
  readonly attempt?: number;
  readonly timeoutSeconds?: number;
  readonly profile: IsolationProfile;
  /** Why the profile it came with was not used. */
  readonly profileProblem?: string;
  readonly cpuUnits: number;
  readonly memoryBytes?: number;
  readonly pid: number;
  readonly running: boolean;
  /** Epoch ms; absent before the start. */
  readonly startedAt?: number;
}

/** Docker's floor for "no share": the ECS agent writes it for a container without a CPU request. */
const NO_SHARES = 2;

/** Reads a container as Docker describes it. Undefined when it belongs to no ECS task. */
export function viewContainer(
  inspection: ContainerInspection,
  cgroupParent: string,
): ContainerView | undefined {
  const labels = inspection.Config.Labels ?? {};
  const taskArn = labels['com.amazonaws.ecs.task-arn'];
  if (taskArn === undefined) return undefined;
  const environment = new Map((inspection.Config.Env ?? []).map(splitVariable));
  const family = labels['com.amazonaws.ecs.task-definition-family'];
  const taskCgroup = cgroupOf(inspection.HostConfig.CgroupParent, cgroupParent);
  const startedAt = Date.parse(inspection.State.StartedAt);
  const { CpuShares, Memory } = inspection.HostConfig;
  return {
    containerId: inspection.Id,
    name: labels['com.amazonaws.ecs.container-name'] ?? inspection.Id.slice(0, 12),
    taskArn,
    ...(family === undefined ? {} : { family }),
    ...(taskCgroup === undefined ? {} : { taskCgroup }),
    ...identity(environment),
    ...readProfile(environment.get(LAUNCH_ENVIRONMENT.isolation)),
    cpuUnits: CpuShares <= NO_SHARES ? 0 : CpuShares,
    ...(Memory > 0 ? { memoryBytes: Memory } : {}),
    pid: inspection.State.Pid,
    running: inspection.State.Running,
    ...(startedAt > 0 ? { startedAt } : {}),
  };
}

const splitVariable = (line: string): [string, string] => {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
};

function identity(
  environment: ReadonlyMap<string, string>,
): Pick<ContainerView, 'taskId' | 'attempt' | 'timeoutSeconds'> {
  const taskId = environment.get(LAUNCH_ENVIRONMENT.taskId);
  if (taskId === undefined) return {};
  const attempt = Number(environment.get(LAUNCH_ENVIRONMENT.attempt));
  const timeoutSeconds = Number(environment.get(LAUNCH_ENVIRONMENT.timeoutSeconds));
  return {
    taskId,
    ...(Number.isInteger(attempt) && attempt > 0 ? { attempt } : {}),
    ...(timeoutSeconds > 0 ? { timeoutSeconds } : {}),
  };
}

/** A profile that cannot be read must not leave the task without isolation: the class's defaults hold instead. */
function readProfile(text: string | undefined): Pick<ContainerView, 'profile' | 'profileProblem'> {
  if (text === undefined) return { profile: { qos: 'burstable' } };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { profile: { qos: 'burstable' }, profileProblem: 'the isolation profile is no JSON' };
  }
  const parsed = v.safeParse(isolation, value);
  if (parsed.success) return { profile: parsed.output };
  return {
    profile: { qos: 'burstable' },
    profileProblem: parsed.issues.map(({ message }) => message).join(' '),
  };
}

/**
 * The task's cgroup below ECS's own. The cgroupfs driver is given a path (`/ecs/<task>`), systemd a unit
 * (`ecstasks-<task>.slice`, which lies below `ecstasks.slice`). Anything else is not ours to touch.
 */
function cgroupOf(dockerParent: string, cgroupParent: string): string | undefined {
  const path =
    dockerParent.endsWith('.slice') && !dockerParent.includes('/') ? slicePath(dockerParent) : dockerParent;
  const below = path.slice(cgroupParent.length + 1);
  if (!path.startsWith(`${cgroupParent}/`) || !/^[A-Za-z0-9._-]+$/.test(below) || /^\.+$/.test(below))
    return undefined;
  return path;
}

/** `a-b.slice` lies in `a.slice`: every dash is a level (systemd.slice(5)). */
export function slicePath(unit: string): string {
  const parts = unit.replace(/\.slice$/, '').split('-');
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}

/** The task's profile: every container of one that Berth launched carries it. */
export const profileOf = (containers: readonly ContainerView[]): IsolationProfile =>
  (containers.find(({ taskId }) => taskId !== undefined) ?? containers[0])?.profile ?? { qos: 'burstable' };

/** What a task's containers ask for together; a hard memory limit only when each has one. */
export function requestOf(containers: readonly ContainerView[]): TaskRequest {
  const memory = containers.map(({ memoryBytes }) => memoryBytes);
  const limited = memory.every((bytes) => bytes !== undefined);
  return {
    cpuUnits: containers.reduce((sum, { cpuUnits }) => sum + cpuUnits, 0),
    ...(limited ? { memoryBytes: memory.reduce((sum, bytes) => sum + (bytes ?? 0), 0) } : {}),
  };
}
