/**
 * What one batch of requests brought to a cluster, on record before its tasks are: they are not in the queue until a pass
 * has looked at them, and whoever looks after lost wakes finds them here.
 */
export interface Arrival {
  readonly cluster: string;
  /** Epoch ms. */
  readonly at: number;
  /** Some may never have been made. */
  readonly taskIds: readonly string[];
  /** Epoch seconds. */
  readonly expiresAt: number;
}
