import type { TaskArray } from '../domain/model/array.ts';
import type { Task } from '../domain/model/task.ts';
import type { OutgoingEvent } from '../ports/bus.ts';
import type { ArrayStore } from '../ports/store.ts';

const ends = { SUCCEEDED: 'succeeded', FAILED: 'failed', CANCELLED: 'cancelled' } as const;

/**
 * Counts a member of an array when its end has been recorded. Told by the table's stream, which repeats until it is done:
 * counting twice counts once.
 */
export async function countMember(
  store: Pick<ArrayStore, 'countArrayMember'>,
  before: Task | undefined,
  after: Task,
): Promise<void> {
  const { array } = after.spec;
  if (array === undefined || after.state === before?.state || !(after.state in ends)) return;
  await store.countArrayMember({
    array,
    index: after.ordinal,
    end: ends[after.state as keyof typeof ends],
    nowMs: after.endedAt ?? after.acceptedAt,
    expiresAt: after.expiresAt,
  });
}

/** What a change of an array's record says to the world: that its last member has ended. */
export function announceArray(before: TaskArray | undefined, after: TaskArray): OutgoingEvent[] {
  if (after.endedAt === undefined || before?.endedAt !== undefined) return [];
  const { expiresAt: _expiresAt, ...detail } = after;
  return [{ detailType: 'Task Array Ended', detail: { ...detail }, resources: [] }];
}
