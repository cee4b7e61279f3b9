import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { tableDefinition } from '../../layers/store/table.ts';

const binary = new URL('../../node_modules/@dynoxide/linux-x64/dynoxide', import.meta.url).pathname;
const START_TIMEOUT_MS = 10_000;

export interface TestDatabase {
  readonly client: DynamoDBClient;
  /** Makes Berth's table under a fresh name and returns the name. */
  createTable(): Promise<string>;
  stop(): Promise<void>;
}

/** A real DynamoDB engine in memory, for one test file. */
export async function startDynoxide(): Promise<TestDatabase> {
  const port = await freePort();
  const child = spawn(binary, ['serve', '--port', String(port)], { stdio: 'ignore' });
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await answering(client, child);
  let tables = 0;
  return {
    client,
    async createTable() {
      const name = `berth-${++tables}`;
      await client.send(
        new CreateTableCommand({
          TableName: name,
          AttributeDefinitions: [...tableDefinition.AttributeDefinitions],
          KeySchema: [...tableDefinition.KeySchema],
          GlobalSecondaryIndexes: tableDefinition.GlobalSecondaryIndexes.map((index) => ({
            ...index,
            KeySchema: [...index.KeySchema],
          })),
          BillingMode: tableDefinition.BillingMode,
          StreamSpecification: tableDefinition.StreamSpecification,
        }),
      );
      return name;
    },
    async stop() {
      client.destroy();
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function answering(client: DynamoDBClient, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await client.send(new ListTablesCommand({}));
      return;
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`dynoxide ended with ${child.exitCode}`, { cause: error });
      if (Date.now() > deadline) throw error;
      await delay(10);
    }
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
