import { isInfrastructureCause, type Reason, type StopCause } from '../model/reason.ts';
import type { Task } from '../model/task.ts';
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
  const used = task.attemptsUsed + (counted ? 1 : 0);
  if (counted && used >= task.spec.retry.maxAttempts) {
    const detail = `${end.detail} (attempt ${used} of ${task.spec.retry.maxAttempts}, none left)`;
    return { kind: 'finish', state: 'FAILED', reason: stopped(detail, cause) };
  }
  const step = counted ? used : task.attempt - task.attemptsUsed;
  const waitMs = backoffMs(step, task.taskId);
  return {
    kind: 'requeue',
    cause,
    counted,
    notBefore: nowMs + waitMs,
    reason: {
      code: 'BACKOFF',
      cause,
      detail: `${end.detail}; tries again in ${(waitMs / 1000).toFixed(1)} s`,
    },
  };
}
