import { isInfrastructureCause, type Reason, type StopCause } from '../model/reason.ts';
import type { StartFailure, Task } from '../model/task.ts';
import { backoffMs } from './backoff.ts';

/** How an attempt ended, as far as the task's life is concerned. */
export interface AttemptEnd {
  readonly cause: StopCause;
  /** A sentence for a person. */
  readonly detail: string;
  readonly exitCode?: number;
}

export type EndDecision =
  | { readonly kind: 'finish'; readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED'; readonly reason: Reason }
  | {
      readonly kind: 'requeue';
      readonly cause: StopCause;
      readonly counted: boolean;
      readonly startsFailed?: Task['startsFailed'];
      readonly notBefore: number;
      readonly reason: Reason;
    };

/**
 * Infrastructure causes are retried without end, but a task that keeps losing its place is told apart from one that
 * was unlucky: the wait grows with the attempts it has lost.
 */
export function endOfAttempt(task: Task, end: AttemptEnd, nowMs: number): EndDecision {
  const stopped = (detail: string, cause: StopCause): Reason => ({ code: 'STOPPED', detail, cause });
  if (end.cause === 'EXIT_ZERO') {
    return { kind: 'finish', state: 'SUCCEEDED', reason: stopped(end.detail, end.cause) };
  }
  if (task.stopRequested?.code === 'CANCELLED') {
    return { kind: 'finish', state: 'CANCELLED', reason: stopped(task.stopRequested.detail, 'CANCELLED') };
  }
  const cause: StopCause =
    task.stopRequested?.code === 'TIMEOUT'
      ? 'TIMEOUT'
      : task.stopRequested?.code === 'PREEMPTED'
        ? 'PREEMPTED'
        : end.cause;
  if (cause === 'STOPPED_BY_USER') {
    return { kind: 'finish', state: 'CANCELLED', reason: stopped(end.detail, cause) };
  }
  const counted = !isInfrastructureCause(cause);
  if (counted && !isRetried(task, cause, end.exitCode)) {
    const detail = `${end.detail} (its retry policy ends it with ${wordsOf(cause, end.exitCode)})`;
    return { kind: 'finish', state: 'FAILED', reason: stopped(detail, cause) };
  }
  const failedStarts = startsFailedBy(task, cause);
  if (failedStarts !== undefined && failedStarts.count >= failedStarts.limit) {
    const detail = `${end.detail} (failed to start ${failedStarts.count} times, none left)`;
    return { kind: 'finish', state: 'FAILED', reason: stopped(detail, cause) };
  }
  const used = task.attemptsUsed + (counted ? 1 : 0);
  if (counted && used >= task.spec.retry.maxAttempts) {
    const detail = `${end.detail} (attempt ${used} of ${task.spec.retry.maxAttempts}, none left)`;
    return { kind: 'finish', state: 'FAILED', reason: stopped(detail, cause) };
  }
  const step = counted ? used : task.attempt - task.attemptsUsed;
  // What gave way to others, or was moved, lost its place through nothing of its own: it is the first to be placed again.
  const waitMs = cause === 'PREEMPTED' ? 0 : backoffMs(step, task.taskId);
  const next =
    cause === 'PREEMPTED' ? 'it is placed again at once' : `tries again in ${(waitMs / 1000).toFixed(1)} s`;
  const why = cause === 'PREEMPTED' ? (task.stopRequested?.detail ?? end.detail) : end.detail;
  return {
    kind: 'requeue',
    cause,
    counted,
    ...(failedStarts !== undefined && { startsFailed: failedStarts.startsFailed }),
    notBefore: nowMs + waitMs,
    reason: {
      code: 'BACKOFF',
      cause,
      detail: `${why}; ${next}`,
    },
  };
}

/** An image that is not there, and a container that cannot be made, do not come right by trying for ever. */
const defaultLimits: Readonly<Record<StartFailure, number>> = { IMAGE_PULL: 3, LAUNCH_FAILED: 10 };

function startsFailedBy(task: Task, cause: StopCause) {
  if (cause !== 'IMAGE_PULL' && cause !== 'LAUNCH_FAILED') return undefined;
  const limits = task.spec.retry.limits;
  const own = cause === 'IMAGE_PULL' ? limits?.imagePull : limits?.launchFailed;
  const count = (task.startsFailed?.[cause] ?? 0) + 1;
  return {
    count,
    limit: own ?? defaultLimits[cause],
    startsFailed: { ...task.startsFailed, [cause]: count },
  };
}

function isRetried({ spec }: Task, cause: StopCause, exitCode: number | undefined): boolean {
  const { on } = spec.retry;
  switch (cause) {
    case 'OUT_OF_MEMORY':
      return on?.outOfMemory ?? true;
    case 'TIMEOUT':
      return on?.timeout ?? true;
    case 'EXIT_NONZERO':
      return on?.exitCodes === undefined || (exitCode !== undefined && on.exitCodes.includes(exitCode));
    default:
      return true;
  }
}

const wordsOf = (cause: StopCause, exitCode: number | undefined): string =>
  cause === 'EXIT_NONZERO' ? `exit code ${exitCode ?? 'unknown'}` : cause;
