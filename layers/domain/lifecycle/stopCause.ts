import type { StopCause } from '../model/reason.ts';

/** One container of a stopped ECS task, as far as it tells why the task stopped. */
export interface StoppedContainer {
  readonly name: string;
  readonly exitCode?: number;
  readonly reason?: string;
  /** ECS does not say; the launch marks the ones that are not (`NOT_ESSENTIAL`). */
  readonly essential: boolean;
}

export interface StoppedTask {
  /** Its containers have run. */
  readonly started?: boolean;
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  readonly containers: readonly StoppedContainer[];
}

export interface Stop {
  readonly cause: StopCause;
  /** Of the essential container that ended the task. */
  readonly exitCode?: number;
  readonly detail: string;
  /** ECS has given the task up, which did not end its processes, or nobody has reported how they ended. */
  readonly mayRunOn?: true;
}

/** Launch override variable on containers whose end does not end the task. */
export const NOT_ESSENTIAL = 'BERTH_NOT_ESSENTIAL';

// The words are ECS's, from its "stopped tasks error codes" page and the agent's own error names.
const hostGone = /Host EC2 \(instance .*\) (?:terminated|stopped)|instance was terminated/i;
const deregistered = /deregistration forced/i;
const pullFailed = /CannotPull|pull image manifest|image manifest .* not found/i;
const outOfMemory = /OutOfMemory/i;
const commandMissing = /executable file not found|exec\b.*no such file or directory/i;
const commandForbidden = /exec\b.*permission denied/i;
/** What a container got when ECS took it down because another one had ended: SIGKILL, SIGTERM. */
const takenDown: ReadonlySet<number> = new Set([137, 143]);

/**
 * The container whose end ended the task: of the essential ones, the first that ended by itself. Those that ECS took
 * down afterwards show the signal's exit code, which counts only when nothing else does.
 */
function decisiveContainer(containers: readonly StoppedContainer[]): StoppedContainer | undefined {
  const essential = containers.filter((container) => container.essential);
  const ended = essential.filter((container) => container.exitCode !== undefined);
  const byItself = ended.filter((container) => !takenDown.has(container.exitCode ?? 0));
  return (
    essential.find((container) => outOfMemory.test(container.reason ?? '')) ??
    byItself.find((container) => container.exitCode !== 0) ??
    byItself[0] ??
    ended[0] ??
    essential[0]
  );
}

function detailOf(task: StoppedTask, container: StoppedContainer | undefined): string {
  const parts = [task.stoppedReason];
  if (container?.reason) parts.push(`${container.name}: ${container.reason}`);
  if (container?.exitCode !== undefined) parts.push(`${container.name} exited with ${container.exitCode}`);
  return parts.filter(Boolean).join('; ') || 'ECS gave no reason';
}

/** As a shell and `docker run` do: 127 for a command that is not there, 126 for one that may not be run. */
function unstartable(reason: string): number | undefined {
  if (!/CannotStartContainer|CannotCreateContainer/.test(reason)) return undefined;
  if (commandMissing.test(reason)) return 127;
  return commandForbidden.test(reason) ? 126 : undefined;
}

function causeOfExit(container: StoppedContainer | undefined, started: boolean): StopCause {
  if (container === undefined) return 'UNKNOWN';
  if (outOfMemory.test(container.reason ?? '')) return 'OUT_OF_MEMORY';
  // ECS says of a container that its host's shutdown overtook before it ran that it exited, without an exit code.
  if (container.exitCode === undefined) return started ? 'UNKNOWN' : 'LAUNCH_FAILED';
  return container.exitCode === 0 ? 'EXIT_ZERO' : 'EXIT_NONZERO';
}

/**
 * Why a stopped ECS task stopped. `stopCode` decides where ECS gives one that says enough; the texts decide between a
 * lost host, an image that could not be pulled and a container that could not be started, which share a code.
 * A stop that Berth asked for reads STOPPED_BY_USER here; the task's own record knows why it was asked for.
 * A command that cannot be run is the task's own doing (EXIT_NONZERO): no other host would run it either.
 */
export function stopCauseOf(task: StoppedTask): Stop {
  const container = decisiveContainer(task.containers);
  const detail = detailOf(task, container);
  const exit = container?.exitCode === undefined ? {} : { exitCode: container.exitCode };
  // What has run has an exit code, or a reason for which there is none, once its agent has seen it end.
  const unseen =
    task.started === true && container?.exitCode === undefined && container?.reason === undefined;
  const doubt = unseen ? { mayRunOn: true as const } : {};
  const words = [task.stoppedReason, ...task.containers.map((each) => each.reason)].join('\n');
  if (task.stopCode === 'SpotInterruption') return { cause: 'SPOT_INTERRUPTION', ...exit, detail, ...doubt };
  if (task.stopCode === 'TerminationNotice' || hostGone.test(task.stoppedReason ?? '')) {
    return { cause: 'HOST_LOST', ...exit, detail };
  }
  if (deregistered.test(task.stoppedReason ?? ''))
    return { cause: 'HOST_LOST', ...exit, detail, mayRunOn: true };
  if (task.stopCode === 'UserInitiated' || task.stopCode === 'ServiceSchedulerInitiated') {
    return { cause: 'STOPPED_BY_USER', ...exit, detail, ...doubt };
  }
  if (task.stopCode === 'EssentialContainerExited')
    return { cause: causeOfExit(container, task.started === true), ...exit, detail };
  const code = unstartable(words);
  if (code !== undefined) return { cause: 'EXIT_NONZERO', exitCode: code, detail };
  if (pullFailed.test(words)) return { cause: 'IMAGE_PULL', ...exit, detail };
  if (task.stopCode === 'TaskFailedToStart') return { cause: 'LAUNCH_FAILED', ...exit, detail };
  return { cause: causeOfExit(container, task.started === true), ...exit, detail };
}
