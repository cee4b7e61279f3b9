import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { attemptToken, parseAttemptToken } from '../domain/lifecycle/attemptToken.ts';
import type { AttemptRef, ClaimRequest, SeatStore } from '../ports/store.ts';
import { toImage, Update } from './expression.ts';
import { seatsKey } from './keys.ts';
import { getItems, type Table, updateItem } from './tableAccess.ts';

/** The seats that a claim takes of one concurrency key. */
export interface SeatGroup {
  readonly key: string;
  readonly taskIds: readonly string[];
  readonly seats: readonly string[];
  /** As many seats may be taken before; below 0: the request's own tasks are too many for each other. */
  readonly mostTaken: number;
}

/**
 * Each task's own maximum counts. Of those of one claim the one with the smallest maximum sits down first, so that the i-th
 * finds i more seats taken: `taken + i < max`.
 */
export function seatGroups(tasks: ClaimRequest['tasks']): SeatGroup[] {
  const byKey = new Map<string, { readonly ref: AttemptRef; readonly max: number }[]>();
  for (const { taskId, attempt, concurrency } of tasks) {
    if (concurrency === undefined) continue;
    const group = byKey.get(concurrency.key) ?? [];
    byKey.set(concurrency.key, group);
    group.push({ ref: { taskId, attempt }, max: concurrency.max });
  }
  return [...byKey].map(([key, members]) => {
    const sorted = members.toSorted((a, b) => a.max - b.max);
    return {
      key,
      taskIds: members.map(({ ref }) => ref.taskId),
      seats: members.map(({ ref }) => attemptToken(ref)),
      mostTaken: Math.min(...sorted.map(({ max }, index) => max - 1 - index)),
    };
  });
}

/** Part of the claim's transaction: a seat is taken exactly when its claim is made. */
export function takeSeats(table: Table, cluster: string, group: SeatGroup): TransactWriteItem {
  const update = new Update();
  const seats = update.path('seats');
  update.addToSet('seats', group.seats);
  return {
    Update: {
      TableName: table.name,
      Key: toImage({ ...seatsKey(cluster, group.key) }),
      UpdateExpression: update.text,
      ConditionExpression: `attribute_not_exists(${seats}) OR size(${seats}) <= ${update.value(group.mostTaken)}`,
      ...update.attributes,
    },
  };
}

export const listSeats =
  (table: Table): SeatStore['listSeats'] =>
  async (cluster, keys) => {
    const items = await getItems(
      table,
      [...new Set(keys)].map((key) => seatsKey(cluster, key)),
    );
    const prefix = seatsKey(cluster, '').pk.length;
    return new Map(
      items.flatMap(({ pk, seats }) => {
        const refs = [...((seats as ReadonlySet<string> | undefined) ?? [])]
          .sort()
          .flatMap((seat) => parseAttemptToken(seat) ?? []);
        return refs.length === 0 ? [] : [[String(pk).slice(prefix), refs] as const];
      }),
    );
  };

export const freeSeats =
  (table: Table): SeatStore['freeSeats'] =>
  async (cluster, key, seats) => {
    if (seats.length === 0) return;
    const update = new Update();
    update.deleteFromSet('seats', seats.map(attemptToken));
    await updateItem(table, seatsKey(cluster, key), update, undefined);
  };
