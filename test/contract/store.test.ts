import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll } from 'vitest';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import type { OpenStore } from './store/world.ts';
import { storeContract } from './store.contract.ts';

const database = await startDynoxide();
afterAll(() => database.stop());

storeContract('memory', async () => {
  const store = createMemoryStore();
  const report: OpenStore['report'] = async (instanceArn, given) => {
    store.tables.reports.set(instanceArn.split('/').at(-1) ?? '', given);
  };
  return { store, report };
});
storeContract('DynamoDB', async () => {
  const { client } = database;
  const table = await database.createTable();
  const report: OpenStore['report'] = async (instanceArn, given) => {
    const Item = marshall({ pk: instanceArn, sk: 'REPORT', ...given, tasks: {}, agentVersion: '1' });
    await client.send(new PutItemCommand({ TableName: table, Item }));
  };
  return { store: createDynamoStore({ client, table }), report };
});
