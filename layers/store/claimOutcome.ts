import type { Task } from '../domain/model/task.ts';
import type { ClaimOutcome, ClaimRequest } from '../ports/store.ts';
import { claimsOf } from './hostItem.ts';
import { currentHost, type HostKeys } from './readHosts.ts';
import { seatGroups } from './seats.ts';
import type { Refusal, Table } from './tableAccess.ts';
import { taskFromItem } from './taskItem.ts';

/**
 * Reads a cancelled claim. An answer that got lost makes the caller repeat, and the repeat finds its own tracks: every
 * task placed here at its attempt and claimed by the host means that the claim did happen.
 */
export async function claimOutcome(
  table: Table,
  keys: HostKeys,
  request: ClaimRequest,
  [hostRefusal, ...refusals]: readonly Refusal[],
): Promise<ClaimOutcome> {
  const refused = request.tasks.flatMap((task, index) => {
    const refusal = refusals[index];
    return refusal === undefined ? [] : [{ task, record: refusal.item && taskFromItem(refusal.item) }];
  });
  const claims = hostRefusal?.item === undefined ? {} : claimsOf(hostRefusal.item);
  const isOurs = ({ task, record }: (typeof refused)[number]): boolean =>
    isPlacedAt(record, task.attempt, request.hostId) && claims[task.taskId]?.attempt === task.attempt;
  const ours = refused.filter(isOurs);
  if (ours.length === request.tasks.length) return { outcome: 'claimed' };
  if (refused.length > 0) {
    // Tasks that are ours in part: an earlier, smaller claim took them, and its owner goes on with them.
    const others = refused.filter((entry) => !isOurs(entry));
    const changed = others.length > 0 ? others : ours;
    return { outcome: 'tasks-changed', taskIds: changed.map(({ task }) => task.taskId) };
  }
  const full = seatGroups(request.tasks).filter(
    (_, index) => refusals[request.tasks.length + index] !== undefined,
  );
  if (hostRefusal === undefined && full.length > 0)
    return { outcome: 'cap-reached', taskIds: full.flatMap(({ taskIds }) => taskIds) };
  return { outcome: 'host-changed', host: await currentHost(table, keys) };
}

export const isPlacedAt = (task: Task | undefined, attempt: number, hostId: string): boolean =>
  task !== undefined &&
  (task.state === 'PLACED' || task.state === 'RUNNING') &&
  task.attempt === attempt &&
  task.hostId === hostId;
