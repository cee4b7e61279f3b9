import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Store } from '../../ports/store.ts';
import { createDynamoStore } from '../../store/dynamoStore.ts';
import type { Need } from '../deps.ts';
import { requireSettings } from '../settings.ts';
import { clientOptions } from './clientOptions.ts';

export const storeNeed: Need<Store> = {
  requires: ['tableName'],
  create: ({ settings }) =>
    createDynamoStore({
      client: new DynamoDBClient(clientOptions(3_000)),
      table: requireSettings(settings, ['tableName']).tableName,
    }),
};
