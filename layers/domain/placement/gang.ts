import type { Pass } from './pass.ts';
import type { Queued } from './taskClass.ts';

/** Members of a gang in this pass. */
export interface Gang {
  readonly id: string;
  readonly size: number;
  readonly members: Queued[];
}

export function gangsOf(queue: readonly Queued[]): ReadonlyMap<string, Gang> {
  const gangs = new Map<string, Gang>();
  for (const queued of queue) {
    const { gang } = queued.task.spec.placement;
    if (gang === undefined) continue;
    const known = gangs.get(gang.id);
    if (known === undefined) gangs.set(gang.id, { id: gang.id, size: gang.size, members: [queued] });
    else known.members.push(queued);
  }
  return gangs;
}

/** A member that runs again joins those that still run, so the others need not be in the queue. */
export const isComplete = ({ members, size }: Gang): boolean =>
  members.length >= size || members.some(({ task }) => task.attempt > 1);

/** Rows for every member on READY hosts, booked; or undefined, with nothing booked, when one of them finds none. */
export function placeAll(pass: Pass, { members }: Gang): readonly number[] | undefined {
  const rows: number[] = [];
  for (const { task, cls } of members) {
    const row = pass.placeOnReady(cls, task.spec.group);
    if (row >= 0) {
      rows.push(row);
      continue;
    }
    for (let n = rows.length - 1; n >= 0; n -= 1) {
      const placed = members[n] as Queued;
      pass.table.book(rows[n] as number, placed.cls, placed.task.spec.group, -1);
    }
    return undefined;
  }
  return rows;
}

/**
 * Keeps room for the members, on READY hosts first and then on those that boot, while the rest is bought: a gang that let
 * smaller tasks have it would never start. Rows by member; -1 where there is no room yet.
 */
export const holdRoom = (pass: Pass, { members }: Gang): readonly number[] =>
  members.map(({ task, cls }) => {
    const row = pass.placeOnReady(cls, task.spec.group);
    return row >= 0 ? row : pass.placeOnBooting(cls, task.spec.group);
  });
