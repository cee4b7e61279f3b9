import type { Resources } from './resources.ts';

/** Why a pending task is not placed, over every host that was looked at. */
export interface WaitExplanation {
  readonly hostsConsidered: number;
  /** Hosts refused by cause: `cpu`, `memory`, `port 8080/tcp`, `constraint memberOf(...)`, `pool`, `state DRAINING`, ... */
  readonly refusals: Readonly<Record<string, number>>;
  /** The host that came nearest, and what it lacks. */
  readonly closest?: { readonly hostId: string; readonly lacks: Resources; readonly refusal: string };
  /** What happens next, in words: `2 hosts booting`, `provisioning 1 x c6i.large`, `no pool can hold it: ...`. */
  readonly next: string;
}

/** Why a task is in the state it is in. `code` is stable and machine-readable; `detail` is a sentence for a person. */
export type Reason =
  | { readonly code: 'ACCEPTED'; readonly detail: string }
  | { readonly code: 'WAITING'; readonly detail: string; readonly explanation: WaitExplanation }
  | { readonly code: 'BACKOFF'; readonly detail: string; readonly cause: StopCause }
  | { readonly code: 'PLACED'; readonly detail: string }
  | { readonly code: 'LAUNCH_UNKNOWN'; readonly detail: string }
  | { readonly code: 'RUNNING'; readonly detail: string }
  | { readonly code: 'STOPPED'; readonly detail: string; readonly cause: StopCause }
  | { readonly code: 'BLOCKED'; readonly detail: string }
  | { readonly code: 'DEPENDENCY_FAILED'; readonly detail: string }
  | { readonly code: 'IMPOSSIBLE'; readonly detail: string };

/** Why an attempt ended. `infrastructure` causes do not use up the task's own attempts. */
export type StopCause =
  | 'EXIT_ZERO'
  | 'EXIT_NONZERO'
  | 'OUT_OF_MEMORY'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'PREEMPTED'
  | 'IMAGE_PULL'
  | 'LAUNCH_FAILED'
  | 'HOST_LOST'
  | 'SPOT_INTERRUPTION'
  | 'STOPPED_BY_USER'
  | 'UNKNOWN';

const infrastructureCauses: ReadonlySet<StopCause> = new Set([
  'PREEMPTED',
  'IMAGE_PULL',
  'LAUNCH_FAILED',
  'HOST_LOST',
  'SPOT_INTERRUPTION',
]);

export const isInfrastructureCause = (cause: StopCause): boolean => infrastructureCauses.has(cause);
