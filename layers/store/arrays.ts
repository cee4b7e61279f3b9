import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { ARRAY_PART, partSize, partsOf, type TaskArray } from '../domain/model/array.ts';
import type { ArrayStore } from '../ports/store.ts';
import { Expression, type Item, Update } from './expression.ts';
import { arrayKey, arrayPartKey } from './keys.ts';
import { getItem, putItem, type Table, updateItem } from './tableAccess.ts';

const counters = ['succeeded', 'failed', 'cancelled'] as const;

export function arrayFromItem(item: Item): TaskArray {
  const { pk: _pk, sk: _sk, kind: _kind, parts: _parts, ...array } = item;
  return array as unknown as TaskArray;
}

/** The array in a stream record's image, or `undefined` when the image is of another kind. */
export const arrayFromImage = (image: Record<string, AttributeValue> | undefined): TaskArray | undefined =>
  image?.kind?.S === 'ARRAY' ? arrayFromItem(unmarshall(image)) : undefined;

export const openArray =
  (table: Table): ArrayStore['openArray'] =>
  async (array) => {
    const guard = new Expression();
    const item = { ...arrayKey(array.arrayId), kind: 'ARRAY', ...array, parts: {} };
    await putItem(table, item, guard, `attribute_not_exists(${guard.path('pk')})`);
  };

export const getArray =
  (table: Table): ArrayStore['getArray'] =>
  async (arrayId) => {
    const item = await getItem(table, arrayKey(arrayId));
    return item && arrayFromItem(item);
  };

/**
 * Sets of indexes by end, so that counting one again changes nothing. A part that is full goes into the array's record,
 * and the one that completes it writes the sums, under the condition that nobody has.
 */
export const countArrayMember =
  (table: Table): ArrayStore['countArrayMember'] =>
  async (member) => {
    const { array, index, end, nowMs } = member;
    const part = Math.floor(index / ARRAY_PART);
    const counted = new Update();
    counted.addNumber(end, index);
    counted.set(counted.path('expiresAt'), member.expiresAt);
    const { item } = await updateItem(table, arrayPartKey(array.arrayId, part), counted, undefined);
    const ends = Object.fromEntries(counters.map((name) => [name, sizeOf(item?.[name])]));
    if (sum(ends) < partSize(array, part)) return;
    const full = new Update();
    full.set(full.path('parts', String(part)), ends);
    const known = `attribute_exists(${full.path('pk')})`;
    const { held, item: meta } = await updateItem(table, arrayKey(array.arrayId), full, known);
    const parts = Object.values((meta?.parts ?? {}) as Record<string, Readonly<Record<string, number>>>);
    if (!held || parts.length < partsOf(array)) return;
    const complete = new Update();
    const endedAt = complete.path('endedAt');
    complete.set(endedAt, nowMs);
    for (const name of counters) {
      complete.set(
        complete.path(name),
        parts.reduce((total, each) => total + (each[name] ?? 0), 0),
      );
    }
    await updateItem(table, arrayKey(array.arrayId), complete, `attribute_not_exists(${endedAt})`);
  };

const sizeOf = (set: unknown): number => (set instanceof Set ? set.size : 0);
const sum = (ends: Readonly<Record<string, number>>): number =>
  Object.values(ends).reduce((total, count) => total + count, 0);
