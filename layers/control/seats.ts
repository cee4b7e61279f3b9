import type { Task } from '../domain/model/task.ts';
import type { Holders } from '../domain/placement/caps.ts';
import type { AttemptRef, Store } from '../ports/store.ts';
import { concurrently } from './concurrently.ts';

const FREED_AT_ONCE = 8;

export interface Seats {
  /** Tasks that hold a place, by the keys of what is queued. */
  readonly holders: Holders;
  /** Seats of attempts that are over. */
  readonly empty: readonly { readonly key: string; readonly seats: readonly AttemptRef[] }[];
}

/**
 * Who holds the places of the queued tasks' concurrency keys. A seat is taken in the transaction that claims a host, and
 * nobody gives it back: it is empty once its attempt is no longer the one under way, which is for ever. The seats are read
 * before their tasks, so that what is called empty was. Without capped tasks nothing is read.
 */
export async function readSeats(
  store: Pick<Store, 'listSeats' | 'getTasks'>,
  cluster: string,
  pending: readonly Task[],
): Promise<Seats> {
  const keys = new Set(pending.flatMap(({ spec }) => spec.concurrency?.key ?? []));
  if (keys.size === 0) return { holders: new Map(), empty: [] };
  const taken = await store.listSeats(cluster, [...keys]);
  const ids = [...taken.values()].flat().map(({ taskId }) => taskId);
  const tasks = new Map((await store.getTasks([...new Set(ids)])).map((task) => [task.taskId, task]));
  const underWay = ({ taskId, attempt }: AttemptRef): boolean => {
    const task = tasks.get(taskId);
    return task?.attempt === attempt && (task.state === 'PLACED' || task.state === 'RUNNING');
  };
  const entries = [...taken];
  return {
    holders: new Map(
      entries.map(([key, seats]) => [key, seats.filter(underWay).map(({ taskId }) => taskId)]),
    ),
    empty: entries
      .map(([key, seats]) => ({ key, seats: seats.filter((seat) => !underWay(seat)) }))
      .filter(({ seats }) => seats.length > 0),
  };
}

/** Clears the seats of attempts that are over, so that claims can count what is taken. */
export const clearSeats = (
  store: Pick<Store, 'freeSeats'>,
  cluster: string,
  empty: Seats['empty'],
): Promise<void> =>
  concurrently(empty, FREED_AT_ONCE, ({ key, seats }) => store.freeSeats(cluster, key, seats));
