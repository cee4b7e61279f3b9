import type { Ask } from '../decide.ts';
import { type Account, arnOf } from './account.ts';

type Attributes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Input {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly Key?: Attributes;
  readonly Item?: Attributes;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys?: readonly Attributes[] } | readonly Write[]>
  >;
  readonly TransactItems?: readonly Readonly<Record<string, Input>>[];
}

interface Write {
  readonly PutRequest?: { readonly Item: Attributes };
  readonly DeleteRequest?: { readonly Key: Attributes };
}

/** A transaction needs the permission of each of its parts, none of its own. */
const partActions: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

export function dynamodbAsks(operation: string, body: unknown, account: Account): Ask[] {
  const input = body as Input;
  const ask = (
    action: string,
    table: string,
    items: readonly (Attributes | undefined)[],
    index?: string,
  ): Ask => ({
    action: `dynamodb:${action}`,
    resource: arnOf(account, 'dynamodb', `table/${table}${index === undefined ? '' : `/index/${index}`}`),
    ...leadingKeys(account.partitionKeyOf(table), items),
  });
  switch (operation) {
    case 'TransactWriteItems':
    case 'TransactGetItems':
      return (input.TransactItems ?? []).flatMap((part) =>
        Object.entries(part).map(([kind, { TableName = '', Key, Item }]) =>
          ask(partActions[kind] ?? kind, TableName, [Key ?? Item]),
        ),
      );
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.entries(input.RequestItems ?? {}).map(([table, wanted]) =>
        ask(
          operation,
          table,
          'Keys' in wanted
            ? (wanted.Keys ?? [])
            : (wanted as readonly Write[]).map(
                ({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key,
              ),
        ),
      );
    default:
      return input.TableName === undefined
        ? [{ action: `dynamodb:${operation}`, resource: '*' }]
        : [ask(operation, input.TableName, [input.Key ?? input.Item], input.IndexName)];
  }
}

/**
 * `dynamodb:LeadingKeys`: the partitions that the items are in. Not of a query, whose partition stands in an expression: a
 * condition on it refuses the query here.
 */
function leadingKeys(
  partitionKey: string | undefined,
  items: readonly (Attributes | undefined)[],
): Pick<Ask, 'keys'> {
  const values = items.flatMap((item) => {
    const value = partitionKey === undefined ? undefined : item?.[partitionKey];
    return value === undefined ? [] : [String(Object.values(value)[0])];
  });
  return values.length === 0 ? {} : { keys: { 'dynamodb:LeadingKeys': values } };
}
