import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as db from '@aws-sdk/client-dynamodb';
import * as streams from '@aws-sdk/client-dynamodb-streams';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../engine/clock.ts';
import { startWire, type Wire } from '../wire/server.ts';
import { type DynamoDb, startDynamoDb } from './dynamodb.ts';
import { lambdaRecord } from './lambdaRecord.ts';
import { identify } from './owner.ts';
import { StreamReader } from './streamReader.ts';

let dataDir: string;
const lines: string[] = [];
const cleanups: (() => unknown)[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'berth-dynamodb-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = (line: string): number => lines.push(line);

async function start(): Promise<{ dynamoDb: DynamoDb; wire: Wire; client: db.DynamoDBClient }> {
  const dynamoDb = await startDynamoDb({ dataDir, log });
  cleanups.push(() => dynamoDb.stop());
  const passthroughs = { dynamodb: dynamoDb.passthrough };
  const wire = await startWire({ port: 0, log, services: [], passthroughs });
  cleanups.push(() => wire.close());
  const client = new db.DynamoDBClient(settings(wire));
  cleanups.push(() => client.destroy());
  return { dynamoDb, wire, client };
}

const settings = ({ url }: Wire) => ({
  endpoint: url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
});

const createTable = (client: db.DynamoDBClient) =>
  client.send(
    new db.CreateTableCommand({
      TableName: 'berth',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );

const put = (client: db.DynamoDBClient, pk: string) =>
  client.send(
    new db.PutItemCommand({
      TableName: 'berth',
      Item: { pk: { S: pk }, bytes: { B: new Uint8Array([1, 2, 3]) } },
    }),
  );

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited 15 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('transactions, conditions and cancellation reasons pass through the wire', async () => {
  const { client } = await start();
  await createTable(client);
  await put(client, 'a');
  const condition = {
    Put: {
      TableName: 'berth',
      Item: { pk: { S: 'a' } },
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    },
  };
  const thrown = await client
    .send(new db.TransactWriteItemsCommand({ TransactItems: [condition] }))
    .catch((error) => error);
  expect(thrown).toBeInstanceOf(db.TransactionCanceledException);
  expect(thrown.CancellationReasons).toMatchObject([
    { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'a' } } },
  ]);
});

test('tables outlive a stop', async () => {
  const first = await start();
  await createTable(first.client);
  await put(first.client, 'kept');
  await first.dynamoDb.stop();
  const { client } = await start();
  const { Item: item } = await client.send(
    new db.GetItemCommand({ TableName: 'berth', Key: { pk: { S: 'kept' } } }),
  );
  expect(item?.bytes?.B).toEqual(new Uint8Array([1, 2, 3]));
});

test('a server that dies is started again, and clients get through by themselves', async () => {
  const { dynamoDb, client } = await start();
  await createTable(client);
  await put(client, 'before');
  const { pid } = dynamoDb;
  if (pid === undefined) throw new Error('no server');
  process.kill(pid, 'SIGKILL');
  await until(() => dynamoDb.pid !== undefined && dynamoDb.pid !== pid, 'a new server');
  const { Items: items } = await client.send(new db.ScanCommand({ TableName: 'berth' }));
  expect(items).toHaveLength(1);
  expect(lines.some((line) => line.includes('SIGKILL'))).toBe(true);
});

test('two owners cannot have the same files', async () => {
  const { dynamoDb } = await start();
  await expect(startDynamoDb({ dataDir, log })).rejects.toThrow(
    new RegExp(`in use by process ${dynamoDb.pid}, started by process ${process.pid}`),
  );
});

test('of two owners that start at once at most one has the files', async () => {
  const started = await Promise.allSettled([
    startDynamoDb({ dataDir, log }),
    startDynamoDb({ dataDir, log }),
    startDynamoDb({ dataDir, log }),
  ]);
  const running = started.filter((result) => result.status === 'fulfilled');
  for (const { value } of running) cleanups.push(() => value.stop());
  expect(running.length).toBeLessThanOrEqual(1);
});

/** Another embedded AWS in a process of its own, which says its server's pid and then waits to be killed. */
function startOwner(): Promise<{ owner: ChildProcess; serverPid: number }> {
  const script = `
    import { startDynamoDb } from ${JSON.stringify(new URL('dynamodb.ts', import.meta.url).href)};
    const dynamoDb = await startDynamoDb({ dataDir: ${JSON.stringify(dataDir)}, log: () => {} });
    console.log(dynamoDb.pid);
    setInterval(() => {}, 60_000);
  `;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => owner.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    owner.stdout.once('data', (text) => resolve({ owner, serverPid: Number(text) }));
    owner.once('exit', (code) => reject(new Error(`the owner ended with ${code}`)));
  });
}

test('a server whose owner was killed is ended by the next start', async () => {
  const { owner, serverPid } = await startOwner();
  owner.removeAllListeners('exit');
  owner.kill('SIGKILL');
  await new Promise((resolve) => owner.once('exit', resolve));
  expect(identify(serverPid)).toBeDefined();
  const { client } = await start();
  expect(identify(serverPid)).toBeUndefined();
  await createTable(client);
});

test('the stream reader hands a write over within milliseconds, in the form Lambda gets', async () => {
  const { dynamoDb, wire, client } = await start();
  const { TableDescription: table } = await createTable(client);
  const streamArn = table?.LatestStreamArn ?? '';
  expect(streamArn).toMatch(/^arn:aws:dynamodb:us-east-1:000000000000:table\/berth\/stream\//);
  const streamClient = new streams.DynamoDBStreamsClient(settings(wire));
  cleanups.push(() => streamClient.destroy());
  const received: { record: Record<string, unknown>; atMs: number }[] = [];
  const reader = new StreamReader({
    client: streamClient,
    streamArn,
    consumer: 'test',
    checkpoints: new Map(),
    clock: systemClock,
    batchSize: 100,
    log,
    onRecords: async ({ records }) => {
      const atMs = performance.now();
      received.push(...records.map((record) => ({ record: lambdaRecord(record, streamArn), atMs })));
      return undefined;
    },
  });
  cleanups.push(dynamoDb.onWrite(() => reader.wake()));
  reader.start();
  cleanups.push(() => reader.stop());
  await put(client, 'warm');
  await until(() => received.length === 1, 'the first record');

  const delaysMs: number[] = [];
  for (let index = 0; index < 30; index += 1) {
    await put(client, `k${index}`);
    const writtenMs = performance.now();
    await until(() => received.length === index + 2, `record ${index}`);
    delaysMs.push((received.at(-1)?.atMs ?? 0) - writtenMs);
  }
  expect(delaysMs.toSorted((left, right) => left - right)[15]).toBeLessThan(50);
  expect(received[1]?.record).toMatchObject({
    eventName: 'INSERT',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: streamArn,
    dynamodb: {
      ApproximateCreationDateTime: expect.any(Number),
      NewImage: { pk: { S: 'k0' }, bytes: { B: 'AQID' } },
    },
  });
});
