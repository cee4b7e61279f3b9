import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { Permissions } from '../../iam/permissions.ts';
import type { Provider } from '../resolve.ts';

/** Tables, in the real engine. One that exists is kept with everything in it. */
export function tableProviders(client: DynamoDBClient, permissions: Permissions): Record<string, Provider> {
  return {
    'AWS::DynamoDB::Table': async ({ properties }) => {
      const TableName = String(properties.TableName);
      const schema = (properties.KeySchema ?? []) as {
        readonly AttributeName: string;
        readonly KeyType: string;
      }[];
      const partitionKey = schema.find(({ KeyType }) => KeyType === 'HASH');
      if (partitionKey !== undefined) permissions.defineTable(TableName, partitionKey.AttributeName);
      const table = (await describe(client, TableName)) ?? (await create(client, TableName, properties));
      return {
        ref: TableName,
        attributes: { Arn: String(table.TableArn), StreamArn: String(table.LatestStreamArn) },
      };
    },
  };
}

async function describe(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function create(
  client: DynamoDBClient,
  TableName: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<TableDescription> {
  const stream = properties.StreamSpecification as { StreamViewType: 'NEW_AND_OLD_IMAGES' } | undefined;
  const input = {
    TableName,
    BillingMode: properties.BillingMode,
    AttributeDefinitions: properties.AttributeDefinitions,
    KeySchema: properties.KeySchema,
    GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes,
    // CloudFormation has no StreamEnabled: naming a view type is what enables it.
    ...(stream && { StreamSpecification: { StreamEnabled: true, ...stream } }),
  } as CreateTableCommandInput;
  const { TableDescription: created } = await client.send(new CreateTableCommand(input));
  const ttl = properties.TimeToLiveSpecification as { AttributeName: string; Enabled: boolean } | undefined;
  if (ttl) await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: ttl }));
  if (!created) throw new Error(`DynamoDB did not describe the table ${TableName} that it made`);
  return created;
}
