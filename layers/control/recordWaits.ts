import type { Wait } from '../domain/model/plan.ts';
import type { Task } from '../domain/model/task.ts';
import { isOtherNews } from '../domain/placement/waits.ts';
import { concurrently } from './concurrently.ts';
import type { World } from './world.ts';

const WRITES_AT_ONCE = 10;

/**
 * The record says why a task waits when it begins to and when what happens next is something else (`isOtherNews`);
 * `explain` counts afresh, so that a queue of thousands does not rewrite itself at every pass. A back-off
 * has already said what is next, until it is over and no host takes the task.
 */
export async function recordWaits(
  world: Pick<World, 'store'>,
  waits: readonly Wait[],
  byId: ReadonlyMap<string, Task>,
): Promise<void> {
  const news = waits.filter(({ taskId, explanation }) => {
    const known = byId.get(taskId)?.reason;
    if (known?.code === 'WAITING') return isOtherNews(known.explanation.next, explanation.next);
    return known?.code !== 'BACKOFF' || explanation.hostsConsidered > 0;
  });
  await concurrently(news, WRITES_AT_ONCE, async (wait) => {
    await world.store.recordWait(wait, {
      code: 'WAITING',
      explanation: wait.explanation,
      detail: detailOf(wait),
    });
  });
}

function detailOf({ explanation: { hostsConsidered, refusals, next } }: Wait): string {
  const counts = Object.entries(refusals)
    .map(([cause, hosts]) => `${hosts} ${cause}`)
    .join(', ');
  return `0 of ${hostsConsidered} hosts can take it${counts && ` (${counts})`}: ${next}`;
}
