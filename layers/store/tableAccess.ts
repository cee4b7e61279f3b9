import {
  type AttributeValue,
  BatchGetItemCommand,
  type CancellationReason,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  type KeysAndAttributes,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { StoreUnavailable } from '../ports/store.ts';
import { isPassing, toThrow } from './errors.ts';
import { type Expression, type Item, toImage, type Update } from './expression.ts';
import type { Key } from './keys.ts';
import { backOffMs, type RetryBounds, request } from './retry.ts';

/** What every access pattern is given. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly retry: RetryBounds;
  /** Number of the cluster's cells; one while the cluster is unknown. */
  cellsOf(cluster: string): Promise<number>;
}

/** `item` is the record after the write, or the one that refused it. */
export type Written =
  | { readonly held: true; readonly item: Item }
  | { readonly held: false; readonly item: Item | undefined };

const BATCH_GET_LIMIT = 100;

const fromImage = (image: Record<string, AttributeValue> | undefined): Item | undefined =>
  image === undefined ? undefined : unmarshall(image);

export async function getItem(table: Table, key: Key): Promise<Item | undefined> {
  const { Item: image } = await request(table.retry, () =>
    table.client.send(
      new GetItemCommand({ TableName: table.name, Key: toImage({ ...key }), ConsistentRead: true }),
    ),
  );
  return fromImage(image);
}

/** Strongly consistent unless told; unknown keys are left out, the order is DynamoDB's. Keys must differ. */
export async function getItems(
  table: Table,
  keys: readonly Key[],
  how: Omit<KeysAndAttributes, 'Keys'> = { ConsistentRead: true },
): Promise<Item[]> {
  const items: Item[] = [];
  let wanted = keys.map((key) => toImage({ ...key }));
  for (let idle = 0; wanted.length > 0; ) {
    const batch = wanted.slice(0, BATCH_GET_LIMIT);
    const { Responses, UnprocessedKeys } = await request(table.retry, () =>
      table.client.send(new BatchGetItemCommand({ RequestItems: { [table.name]: { ...how, Keys: batch } } })),
    );
    items.push(...(Responses?.[table.name] ?? []).map((image) => unmarshall(image)));
    const unprocessed = UnprocessedKeys?.[table.name]?.Keys ?? [];
    wanted = [...unprocessed, ...wanted.slice(BATCH_GET_LIMIT)];
    if (unprocessed.length < batch.length) {
      idle = 0;
      continue;
    }
    if (++idle >= table.retry.attempts)
      throw new StoreUnavailable('BatchGetItem answered nothing, repeatedly');
    await table.retry.sleep(backOffMs(table.retry, idle));
  }
  return items;
}

/** All pages of a query, one at a time, so that a caller who has enough stops reading. */
export async function* queryPages(
  table: Table,
  query: Omit<QueryCommandInput, 'TableName' | 'ExclusiveStartKey'>,
): AsyncGenerator<Item[]> {
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await request(table.retry, () =>
      table.client.send(
        new QueryCommand({
          ...query,
          TableName: table.name,
          ...(from !== undefined && { ExclusiveStartKey: from }),
        }),
      ),
    );
    yield (page.Items ?? []).map((image) => unmarshall(image));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
}

/** The first items of a query, at most so many. */
export async function queryHead(
  table: Table,
  query: Omit<QueryCommandInput, 'TableName' | 'Limit'>,
  count: number,
): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of queryPages(table, { ...query, Limit: count })) {
    items.push(...page);
    if (items.length >= count) break;
  }
  return items.slice(0, count);
}

export async function queryAll(table: Table, query: Omit<QueryCommandInput, 'TableName'>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of queryPages(table, query)) items.push(...page);
  return items;
}

const guarded = async (send: () => Promise<Item>): Promise<Written> => {
  try {
    return { held: true, item: await send() };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { held: false, item: fromImage(error.Item) };
    throw error;
  }
};

/** Puts a whole item under a condition on the one that is there. */
export const putItem = (
  table: Table,
  item: Item,
  guard: Pick<Expression, 'attributes'>,
  condition: string,
): Promise<Written> =>
  guarded(async () => {
    await request(table.retry, () =>
      table.client.send(
        new PutItemCommand({
          TableName: table.name,
          Item: toImage(item),
          ConditionExpression: condition,
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...guard.attributes,
        }),
      ),
    );
    return item;
  });

export const updateItem = (
  table: Table,
  key: Key,
  update: Update,
  condition: string | undefined,
): Promise<Written> =>
  guarded(async () => {
    const { Attributes } = await request(table.retry, () =>
      table.client.send(
        new UpdateItemCommand({
          TableName: table.name,
          Key: toImage({ ...key }),
          UpdateExpression: update.text,
          ConditionExpression: condition,
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...update.attributes,
        }),
      ),
    );
    return fromImage(Attributes) ?? {};
  });

/** Why one item of a transaction refused; `undefined` for those that did not. `item` is the record that refused. */
export type Refusal = { readonly item: Item | undefined } | undefined;

/**
 * All or nothing. Returns `undefined` when it happened, else each item's refusal in order. Cancellations by other
 * transactions or throttles are repeated within bounds, then thrown.
 */
export async function transact(
  table: Table,
  items: readonly TransactWriteItem[],
): Promise<Refusal[] | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      await request(table.retry, () =>
        table.client.send(new TransactWriteItemsCommand({ TransactItems: [...items] })),
      );
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      const codes = reasons.map(({ Code }) => Code ?? 'None');
      // A guard that did not hold is an answer, even beside a conflict: repeating would only find it again.
      if (codes.includes('ConditionalCheckFailed')) return reasons.map(refusalOf);
      if (!isPassing(codes)) throw toThrow(error);
      if (attempt + 1 >= table.retry.attempts) {
        throw new StoreUnavailable(`transaction cancelled: ${codes.join(', ')}`, { cause: error });
      }
      await table.retry.sleep(backOffMs(table.retry, attempt));
    }
  }
}

const refusalOf = (reason: CancellationReason): Refusal =>
  reason.Code === 'ConditionalCheckFailed' ? { item: fromImage(reason.Item) } : undefined;
