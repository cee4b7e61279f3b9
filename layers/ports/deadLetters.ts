/** A message that was given up. */
export interface DeadLetter {
  readonly messageId: string;
  readonly body: string;
  /** When it first came to the queue it died in. */
  readonly sentAt: number;
  /** FIFO queues: what orders it. */
  readonly group?: string;
  /** What EventBridge says of a message that it could not deliver at all. */
  readonly undelivered?: string;
}

export interface DeadLetterCount {
  readonly queue: string;
  readonly messages: number;
  /** Being looked at by somebody, or being moved: they come back within half a minute. */
  readonly inFlight: number;
}

/**
 * The queues of what was given up. They are read by receiving, and what was received is put back at once: of a FIFO
 * queue's group only the first ten are seen that way.
 */
export interface DeadLetters {
  readonly queues: readonly string[];
  count(queue: string): Promise<DeadLetterCount>;
  /** At most `limit`, in no order. */
  list(queue: string, limit: number): Promise<DeadLetter[]>;
  find(queue: string, messageId: string): Promise<DeadLetter | undefined>;
  /**
   * - `started`: the service moves all of them back, at its own pace
   * - `running`: an earlier request is still at it
   * - `no-way-back`: this queue's messages did not come from a queue
   */
  redriveAll(queue: string): Promise<'started' | 'running' | 'no-way-back'>;
  /**
   * Sends one back, then deletes it here: cut off in between it is in both places, and asking again is safe, because every
   * message may be handled twice.
   */
  redriveOne(queue: string, messageId: string): Promise<'redriven' | 'unknown' | 'no-way-back'>;
}
