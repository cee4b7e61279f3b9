/** How a container of the virtual hosts behaves. */
export interface Run {
  /** From its start; absent for one that runs until it is stopped. */
  readonly runMs?: number;
  readonly exitCode?: number;
  /** As ECS words it: `OutOfMemoryError: ...`. */
  readonly reason?: string;
  /** It never starts, for this reason: `CannotPullContainerError: ...`. */
  readonly failsToStart?: string;
  /** Pull and start together; 0 by default. */
  readonly startMs?: number;
  /** From SIGTERM to its end, at most its stop timeout; 0 by default. */
  readonly stopMs?: number;
}
