import { afterAll } from 'vitest';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import { storeContract } from './store.contract.ts';

const database = await startDynoxide();
afterAll(() => database.stop());

storeContract('memory', async () => createMemoryStore());
storeContract('DynamoDB', async () =>
  createDynamoStore({ client: database.client, table: await database.createTable() }),
);
