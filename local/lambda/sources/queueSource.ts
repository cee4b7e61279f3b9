import type { Message } from '@aws-sdk/client-sqs';
import type { Cancel } from '../../engine/clock.ts';

/** What an event source mapping needs of a queue: it lives in this process, so nothing polls and nothing waits. */
export interface QueueSource {
  readonly arn: string;
  readonly fifo: boolean;
  /** Receives what is visible now, at most `max` messages, with all their attributes; they are in flight afterwards. */
  receive(max: number): readonly Message[];
  delete(receiptHandles: readonly string[]): void;
  /** Makes messages in flight visible again, `visibilityMs` from now. */
  release(receiptHandles: readonly string[], visibilityMs: number): void;
  /** Called whenever messages may have become visible, several of one turn in one call. */
  listen(listener: () => void): Cancel;
}
