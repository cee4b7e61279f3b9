import type { Sqs } from '../../sqs/engine.ts';
import type { QueueSource } from './queueSource.ts';

/** Does the same to all and reports the first failure only then: one stale handle must not keep the others. */
function forAll(handles: readonly string[], action: (handle: string) => void): void {
  const failures: unknown[] = [];
  for (const handle of handles) {
    try {
      action(handle);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** A queue of the SQS engine as an event source; undefined when there is no such queue. */
export function sqsSource(sqs: Sqs, queueArn: string): QueueSource | undefined {
  let fifo: boolean;
  try {
    fifo = sqs.describe(queueArn).fifo;
  } catch {
    return undefined;
  }
  return {
    arn: queueArn,
    fifo,
    receive: (max) => sqs.receive(queueArn, { max }),
    delete: (handles) => forAll(handles, (handle) => sqs.delete(queueArn, handle)),
    release: (handles, visibilityMs) =>
      forAll(handles, (handle) => sqs.changeVisibility(queueArn, handle, visibilityMs)),
    listen: (listener) => sqs.subscribe(queueArn, listener),
  };
}
