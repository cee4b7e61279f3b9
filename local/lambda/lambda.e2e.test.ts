import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as cloudwatchSdk from '@aws-sdk/client-cloudwatch';
import * as logsSdk from '@aws-sdk/client-cloudwatch-logs';
import * as db from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import * as lambdaSdk from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CloudWatch, createCloudWatch } from '../cloudwatch/cloudwatch.ts';
import { type DynamoDb, startDynamoDb } from '../dynamodb/dynamodb.ts';
import { systemClock } from '../engine/clock.ts';
import { sqliteState } from '../engine/state.ts';
import { testContext } from '../engine/testContext.ts';
import { createLogs } from '../logs/logs.ts';
import { createSqs, type Sqs } from '../sqs/engine.ts';
import { startWire, type Wire } from '../wire/server.ts';
import { awsCliV1, awsCliV2 } from '../wire/testClients.ts';
import { createLambda, type Lambda } from './lambda.ts';
import { processRunners } from './processes/processRunner.ts';
import { dynamoSource } from './sources/dynamoSource.ts';
import { sqsSource } from './sources/sqsSource.ts';

/** The engines of Lambda, CloudWatch and Logs over the wire, with real workers, the real database and the real CLIs. */
const dir = mkdtempSync(join(tmpdir(), 'berth-lambda-e2e-'));
const seenFile = join(dir, 'seen');
const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
const run = promisify(execFile);

const SOURCE = `
import { appendFileSync } from 'node:fs';
export const handler = async (event) => {
  for (const record of event.Records ?? []) {
    const what = record.body ?? record.dynamodb.NewImage.pk.S;
    appendFileSync(${JSON.stringify(seenFile)}, what + ' ' + (performance.timeOrigin + performance.now()) + '\\n');
  }
  if (event.alarmData) appendFileSync(${JSON.stringify(seenFile)}, event.alarmData.alarmName + ' ' + event.alarmData.state.value + '\\n');
  if (event.fail) throw new TypeError('asked to');
  console.log('got', JSON.stringify(event));
  console.log(JSON.stringify({
    _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'E2E', Dimensions: [[]], Metrics: [{ Name: 'Seen' }] }] },
    Seen: 1,
  }));
  return { echo: event };
};`;

let wire: Wire;
let dynamo: DynamoDb;
let lambda: Lambda;
let cloudwatch: CloudWatch;
let sqs: Sqs;
const queueArn = 'arn:aws:sqs:us-east-1:000000000000:work';
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:fn';
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  writeFileSync(join(dir, 'index.mjs'), SOURCE);
  writeFileSync(seenFile, '');
  let hex = 0;
  const context = {
    ...testContext({ state: sqliteState(join(dir, 'state.db')) }),
    clock: systemClock,
    hex: (length: number) => (++hex).toString(16).padStart(length, '0'),
  };
  dynamo = await startDynamoDb({ dataDir: dir, log: () => {} });
  sqs = createSqs(context, { baseUrl: 'http://127.0.0.1' });
  await sqs.service.operations.CreateQueue?.({ QueueName: 'work' }, { requestId: 'create' });
  const deliverer = {
    async deliver(arn: string, body: string) {
      lambda.invokeAsync(arn, body);
    },
  };
  cloudwatch = createCloudWatch(context, { events: { emit: () => {} }, deliverer });
  const logs = createLogs(context, { metrics: cloudwatch });
  const streams = new DynamoDBStreamsClient({ endpoint: dynamo.url, region: 'us-east-1', credentials });
  lambda = createLambda(context, {
    deliverer,
    logs,
    metrics: cloudwatch,
    layersDir: join(dir, 'layers'),
    runner: processRunners({
      region: 'us-east-1',
      endpointUrl: 'http://127.0.0.1:9',
      compileCacheDir: join(dir, 'cache'),
    }),
    sources: {
      queue: (arn) => sqsSource(sqs, arn),
      stream: (arn) =>
        dynamoSource(
          {
            client: streams,
            clock: systemClock,
            log: () => {},
            onWrite: (listener) => dynamo.onWrite(listener),
          },
          arn,
        ),
    },
  });
  lambda.createFunction({ name: 'fn', codeDir: dir, handler: 'index.handler', timeoutSeconds: 20 });
  wire = await startWire({
    port: 0,
    log: () => {},
    passthroughs: { dynamodb: dynamo.passthrough },
    services: [
      { sdk: lambdaSdk, service: lambda.service },
      { sdk: cloudwatchSdk, service: cloudwatch.service },
      { sdk: logsSdk, service: logs.service },
    ],
  });
  lambda.createEventSourceMapping({ functionName: 'fn', eventSourceArn: queueArn });
  lambda.start();
  cloudwatch.start();
  closing.push(
    () => cloudwatch.stop(),
    () => lambda.close(),
    () => sqs.stop(),
    () => wire.close(),
    () => streams.destroy(),
    () => dynamo.stop(),
    () => context.state.close(),
    () => rmSync(dir, { recursive: true, force: true }),
  );
});
afterAll(async () => {
  for (const close of closing) await close();
});

const seen = (): string[] => readFileSync(seenFile, 'utf8').trim().split('\n');
const seenWord = (word: string): string | undefined => seen().find((line) => line.startsWith(`${word} `));

async function cli(binary: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(binary, ['--endpoint-url', wire.url, '--output', 'json', ...args], {
    timeout: 60_000,
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '',
    },
  });
  return stdout;
}

describe.each([
  ['v2', awsCliV2, ['--cli-binary-format', 'raw-in-base64-out']],
  ['v1', awsCliV1, []],
] as const)('AWS CLI %s', (version, find, binaryFormat) => {
  const aws = async (...args: string[]) => JSON.parse((await cli(find(), ...args)) || 'null');

  it('invokes a function and shows its answer and its log', async () => {
    const out = join(dir, `out-${version}.json`);
    const base = ['lambda', 'invoke', '--function-name', 'fn', ...binaryFormat];
    const answer = await aws(...base, '--payload', `{"from":"${version}"}`, '--log-type', 'Tail', out);
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ echo: { from: version } });
    const tail = Buffer.from(answer.LogResult, 'base64').toString();
    expect(tail).toMatch(/START RequestId: .*\tINFO\tgot .*END RequestId: .*REPORT RequestId: /s);
    const failed = await aws(...base, '--payload', '{"fail":true}', out);
    expect(failed).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'asked to',
    });
    expect(await aws(...base, '--invocation-type', 'Event', '--payload', '{}', out)).toEqual({
      StatusCode: 202,
    });
    await expect(aws('lambda', 'invoke', '--function-name', 'absent', out)).rejects.toThrow(
      /\(ResourceNotFoundException\).*Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent/,
    );
  });

  it('lists functions, mappings and layers', async () => {
    const { Functions } = await aws('lambda', 'list-functions');
    expect(Functions).toMatchObject([{ FunctionName: 'fn', Runtime: 'nodejs24.x', Timeout: 20 }]);
    const { EventSourceMappings } = await aws(
      'lambda',
      'list-event-source-mappings',
      '--function-name',
      'fn',
    );
    expect(EventSourceMappings[0]).toMatchObject({
      EventSourceArn: queueArn,
      BatchSize: 10,
      State: 'Enabled',
    });
    const zip = join(dir, 'layer.zip');
    // The CLI accepts nothing but a zip file: an empty one, told apart by its comment.
    const end = Buffer.alloc(22);
    end.write('PK\u0005\u0006', 'latin1');
    end.writeUInt16LE(version.length, 20);
    writeFileSync(zip, Buffer.concat([end, Buffer.from(version)]));
    const layer = await aws(
      'lambda',
      'publish-layer-version',
      '--layer-name',
      'agent',
      '--zip-file',
      `fileb://${zip}`,
    );
    const again = await aws('lambda', 'get-layer-version-by-arn', '--arn', layer.LayerVersionArn);
    expect(readFileSync(new URL(again.Content.Location))).toEqual(readFileSync(zip));
  });

  it('raises an alarm by put-metric-data, which calls its function', async () => {
    const name = `busy-${version}`;
    const metric = ['--namespace', 'Shop', '--metric-name', `Load-${version}`];
    await aws(
      ...['cloudwatch', 'put-metric-alarm', '--alarm-name', name, ...metric, '--statistic', 'Average'],
      ...['--period', '10', '--evaluation-periods', '1', '--threshold', '80'],
      ...['--comparison-operator', 'GreaterThanThreshold', '--alarm-actions', functionArn],
      ...['--ok-actions', functionArn],
    );
    const put = (value: number) =>
      aws('cloudwatch', 'put-metric-data', ...metric, '--value', String(value), '--storage-resolution', '1');
    await put(95);
    await vi.waitFor(() => expect(seenWord(name)).toBe(`${name} ALARM`), { timeout: 10_000 });
    const described = await aws('cloudwatch', 'describe-alarms', '--alarm-names', name);
    expect(described.MetricAlarms[0]).toMatchObject({ StateValue: 'ALARM', Threshold: 80, Period: 10 });
    if (version === 'v1') return;
    // The next whole period is low.
    await vi.waitFor(
      async () => {
        await put(5);
        expect(seen()).toContain(`${name} OK`);
      },
      { timeout: 40_000, interval: 1_000 },
    );
    const history = await aws('cloudwatch', 'describe-alarm-history', '--alarm-name', name);
    expect(history.AlarmHistoryItems.length).toBeGreaterThanOrEqual(5);
    const { Metrics } = await aws('cloudwatch', 'list-metrics', '--namespace', 'E2E');
    expect(Metrics).toMatchObject([{ MetricName: 'Seen' }]);
  });

  it('reads logs', async () => {
    const { logGroups } = await aws('logs', 'describe-log-groups');
    expect(logGroups).toMatchObject([{ logGroupName: '/aws/lambda/fn' }]);
    const search = ['--log-group-name', '/aws/lambda/fn', '--filter-pattern', `"from" "${version}"`];
    const { events } = await aws('logs', 'filter-log-events', ...search);
    expect(events.map(({ message }: { message: string }) => message).join()).toContain(
      `{"from":"${version}"}`,
    );
  });
});

it('shows logs by `aws logs tail`', async () => {
  const stdout = await cli(awsCliV2(), 'logs', 'tail', '/aws/lambda/fn', '--since', '1h');
  expect(stdout).toMatch(/START RequestId: .*got .*REPORT RequestId: /s);
});

it("carries a table's stream to a function", async () => {
  const client = new db.DynamoDBClient({ endpoint: wire.url, region: 'us-east-1', credentials });
  closing.push(() => client.destroy());
  const { TableDescription } = await client.send(
    new db.CreateTableCommand({
      TableName: 'berth',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  const eventSourceArn = TableDescription?.LatestStreamArn ?? '';
  const mapping = lambda.createEventSourceMapping({
    functionName: 'fn',
    eventSourceArn,
    startingPosition: 'TRIM_HORIZON',
  });
  const put = (pk: string) =>
    client.send(new db.PutItemCommand({ TableName: 'berth', Item: { pk: { S: pk } } }));
  await put('item-1');
  await vi.waitFor(() => expect(seenWord('item-1')).toBeDefined(), { timeout: 10_000 });
  const operations = lambda.service.operations;
  await operations.UpdateEventSourceMapping?.({ UUID: mapping.uuid, Enabled: false }, { requestId: 'off' });
  await put('item-2');
  await operations.UpdateEventSourceMapping?.({ UUID: mapping.uuid, Enabled: true }, { requestId: 'on' });
  await vi.waitFor(() => expect(seenWord('item-2')).toBeDefined(), { timeout: 10_000 });
  expect(seen().filter((line) => line.startsWith('item-1 '))).toHaveLength(1);
});

it('calls a warm handler within milliseconds of the message', async () => {
  const delays: number[] = [];
  for (let n = 0; n < 30; n += 1) {
    const sentAt = performance.timeOrigin + performance.now();
    sqs.send(queueArn, `ping-${n}`);
    await vi.waitFor(() => expect(seenWord(`ping-${n}`)).toBeDefined(), { interval: 2, timeout: 5_000 });
    delays.push(Number(seenWord(`ping-${n}`)?.split(' ')[1]) - sentAt);
  }
  const median = delays.sort((left, right) => left - right)[15] ?? Number.NaN;
  process.stdout.write(`message sent -> handler runs, warm: median ${median.toFixed(2)} ms\n`);
  expect(median).toBeLessThan(20);
});
