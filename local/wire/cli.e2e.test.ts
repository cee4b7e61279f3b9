import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as eventbridge from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DynamoDb, startDynamoDb } from '../dynamodb/dynamodb.ts';
import { ServiceError } from '../engine/service.ts';
import { stsService } from '../sts/sts.ts';
import { startWire, type Wire } from './server.ts';
import { awsCliV1, awsCliV2 } from './testClients.ts';

const run = promisify(execFile);

let wire: Wire;
let dynamoDb: DynamoDb;
let directory: string;
let lastInput: unknown;
const taking =
  (output: object) =>
  (input: unknown): object => {
    lastInput = input;
    return output;
  };

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  dynamoDb = await startDynamoDb({ dataDir: directory, log: () => {} });
  wire = await startWire({
    port: 0,
    log: () => {},
    passthroughs: { dynamodb: dynamoDb.passthrough },
    services: [
      { sdk: sts, service: stsService({ accountId: '123456789012' }) },
      {
        sdk: ecs,
        service: {
          signingName: 'ecs',
          operations: {
            RunTask: taking({
              tasks: [{ taskArn: 'arn:t', createdAt: new Date(1_700_000_000_250) }],
              failures: [],
            }),
            StopTask: () => {
              throw new ServiceError('ClusterNotFoundException', 'Cluster not found.');
            },
          },
        },
      },
      {
        sdk: ec2,
        service: {
          signingName: 'ec2',
          operations: {
            DescribeInstances: taking({
              Reservations: [
                {
                  Instances: [
                    {
                      InstanceId: 'i-1',
                      State: { Name: 'running', Code: 16 },
                      Tags: [{ Key: 'a', Value: '<&>' }],
                    },
                  ],
                },
              ],
            }),
            TerminateInstances: () => {
              throw new ServiceError('InvalidInstanceID.NotFound', "The instance ID 'i-9' does not exist");
            },
          },
        },
      },
      {
        sdk: lambda,
        service: {
          signingName: 'lambda',
          operations: {
            Invoke: taking({
              StatusCode: 200,
              Payload: Buffer.from('{"ok":"ü"}'),
              LogResult: 'bG9n',
              ExecutedVersion: '$LATEST',
            }),
          },
        },
      },
      {
        sdk: sqs,
        service: {
          signingName: 'sqs',
          operations: {
            GetQueueUrl: () => ({ QueueUrl: `${wire.url}/123456789012/wakes` }),
            SendMessage: taking({ MessageId: 'm-1', MD5OfMessageBody: '5d41402abc4b2a76b9719d911017c592' }),
            ReceiveMessage: taking({
              Messages: [
                { MessageId: 'm-1', ReceiptHandle: 'r', Body: 'hello', Attributes: { SentTimestamp: '1' } },
              ],
            }),
            DeleteQueue: () => {
              throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
            },
          },
        },
      },
      {
        sdk: cloudwatch,
        service: {
          signingName: 'monitoring',
          operations: {
            PutMetricAlarm: taking({}),
            DescribeAlarms: taking({ MetricAlarms: [{ AlarmName: 'busy', Threshold: 0.5 }] }),
          },
        },
      },
      {
        sdk: eventbridge,
        service: {
          signingName: 'events',
          operations: { PutEvents: taking({ FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] }) },
        },
      },
      {
        sdk: sns,
        service: { signingName: 'sns', operations: { Publish: taking({ MessageId: 's-1' }) } },
      },
    ],
  });
});

afterAll(async () => {
  await wire.close();
  await dynamoDb.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe.each([
  ['AWS CLI v2', awsCliV2, 2],
  ['AWS CLI v1', awsCliV1, 1],
] as const)('%s', (_, find, version) => {
  /** Runs the CLI and gives what it printed, parsed; undefined when it printed nothing. */
  async function aws(...args: string[]): Promise<unknown> {
    const { stdout } = await run(find(), ['--endpoint-url', wire.url, '--output', 'json', ...args], {
      timeout: 60_000,
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: 'AKID',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_PAGER: '',
      },
    });
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  }

  test('sts get-caller-identity', async () => {
    expect(await aws('sts', 'get-caller-identity')).toEqual({
      UserId: '123456789012',
      Account: '123456789012',
      Arn: 'arn:aws:iam::123456789012:root',
    });
  });

  test('ecs run-task', async () => {
    const overrides = '{"containerOverrides":[{"name":"main","environment":[{"name":"A","value":"b c"}]}]}';
    const answer = await aws(
      'ecs',
      'run-task',
      '--task-definition',
      'web',
      '--count',
      '2',
      '--overrides',
      overrides,
    );
    expect(lastInput).toMatchObject({ taskDefinition: 'web', count: 2, overrides: JSON.parse(overrides) });
    expect(answer).toMatchObject({
      tasks: [{ taskArn: 'arn:t', createdAt: expect.anything() }],
      failures: [],
    });
  });

  test('an ECS error', async () => {
    await expect(aws('ecs', 'stop-task', '--task', 't')).rejects.toThrow(
      'An error occurred (ClusterNotFoundException) when calling the StopTask operation: Cluster not found.',
    );
  });

  test('ec2 describe-instances', async () => {
    const filters = ['Name=tag:a,Values=x,y', 'Name=instance-state-name,Values=running'];
    const answer = await aws(
      'ec2',
      'describe-instances',
      '--instance-ids',
      'i-1',
      'i-2',
      '--filters',
      ...filters,
    );
    expect(lastInput).toEqual({
      InstanceIds: ['i-1', 'i-2'],
      Filters: [
        { Name: 'tag:a', Values: ['x', 'y'] },
        { Name: 'instance-state-name', Values: ['running'] },
      ],
    });
    expect(answer).toEqual({
      Reservations: [
        {
          Instances: [
            { InstanceId: 'i-1', State: { Name: 'running', Code: 16 }, Tags: [{ Key: 'a', Value: '<&>' }] },
          ],
        },
      ],
    });
  });

  test('an EC2 error', async () => {
    await expect(aws('ec2', 'terminate-instances', '--instance-ids', 'i-9')).rejects.toThrow(
      "An error occurred (InvalidInstanceID.NotFound) when calling the TerminateInstances operation: The instance ID 'i-9' does not exist",
    );
  });

  test('lambda invoke', async () => {
    const out = join(directory, 'payload');
    const raw = version === 2 ? ['--cli-binary-format', 'raw-in-base64-out'] : [];
    const args = ['--function-name', 'submit', '--log-type', 'Tail', '--payload', '{"a":"ü"}', ...raw, out];
    const answer = await aws('lambda', 'invoke', ...args);
    expect(lastInput).toMatchObject({ FunctionName: 'submit', LogType: 'Tail' });
    expect(Buffer.from((lastInput as lambda.InvokeCommandInput).Payload as Uint8Array).toString()).toBe(
      '{"a":"ü"}',
    );
    expect(answer).toEqual({ StatusCode: 200, LogResult: 'bG9n', ExecutedVersion: '$LATEST' });
    expect(readFileSync(out, 'utf8')).toBe('{"ok":"ü"}');
  });

  test('sqs get-queue-url, send-message and receive-message', async () => {
    const { QueueUrl: url } = (await aws('sqs', 'get-queue-url', '--queue-name', 'wakes')) as {
      QueueUrl: string;
    };
    const attributes = '{"k":{"DataType":"String","StringValue":"v"}}';
    await aws(
      'sqs',
      'send-message',
      '--queue-url',
      url,
      '--message-body',
      'hello',
      '--message-attributes',
      attributes,
    );
    expect(lastInput).toEqual({
      QueueUrl: url,
      MessageBody: 'hello',
      MessageAttributes: { k: { DataType: 'String', StringValue: 'v' } },
    });
    const received = await aws('sqs', 'receive-message', '--queue-url', url, '--attribute-names', 'All');
    expect(lastInput).toMatchObject({ QueueUrl: url, AttributeNames: ['All'] });
    expect(received).toEqual({
      Messages: [{ MessageId: 'm-1', ReceiptHandle: 'r', Body: 'hello', Attributes: { SentTimestamp: '1' } }],
    });
  });

  test('an SQS error by its older code', async () => {
    await expect(aws('sqs', 'delete-queue', '--queue-url', `${wire.url}/1/q`)).rejects.toThrow(
      'An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the DeleteQueue operation',
    );
  });

  test('cloudwatch put-metric-alarm and describe-alarms', async () => {
    const alarm = '--alarm-name busy --metric-name CPU --namespace AWS/EC2 --statistic Average --period 60';
    const rule = '--evaluation-periods 1 --threshold 0.5 --comparison-operator GreaterThanThreshold';
    const dimension = ['--dimensions', 'Name=InstanceId,Value=i-1', '--alarm-actions', 'arn:a', 'arn:b'];
    await aws('cloudwatch', 'put-metric-alarm', ...`${alarm} ${rule}`.split(' '), ...dimension);
    expect(lastInput).toMatchObject({
      AlarmName: 'busy',
      Period: 60,
      Threshold: 0.5,
      Dimensions: [{ Name: 'InstanceId', Value: 'i-1' }],
      AlarmActions: ['arn:a', 'arn:b'],
    });
    expect(await aws('cloudwatch', 'describe-alarms')).toMatchObject({
      MetricAlarms: [{ AlarmName: 'busy', Threshold: 0.5 }],
    });
  });

  test('events put-events', async () => {
    const entry = { Source: 'shop', DetailType: 'order', Detail: '{"n":1}', Time: '2026-01-02T03:04:05Z' };
    await aws('events', 'put-events', '--entries', JSON.stringify([entry]));
    expect(lastInput).toEqual({ Entries: [{ ...entry, Time: new Date('2026-01-02T03:04:05Z') }] });
  });

  test('sns publish', async () => {
    const answer = await aws('sns', 'publish', '--topic-arn', 'arn:topic', '--message', 'a & b');
    expect(lastInput).toEqual({ TopicArn: 'arn:topic', Message: 'a & b' });
    expect(answer).toEqual({ MessageId: 's-1' });
  });

  test('dynamodb create-table, put-item and get-item', async () => {
    const name = `table-${version}`;
    const schema = 'AttributeName=pk,KeyType=HASH';
    const definition = 'AttributeName=pk,AttributeType=S';
    const table = ['--table-name', name];
    const create = [
      '--key-schema',
      schema,
      '--attribute-definitions',
      definition,
      '--billing-mode',
      'PAY_PER_REQUEST',
    ];
    await aws('dynamodb', 'create-table', ...table, ...create);
    await aws('dynamodb', 'put-item', ...table, '--item', '{"pk":{"S":"a"},"n":{"N":"1"}}');
    expect(await aws('dynamodb', 'get-item', ...table, '--key', '{"pk":{"S":"a"}}')).toEqual({
      Item: { pk: { S: 'a' }, n: { N: '1' } },
    });
  });

  test('what is not there is an error, not a silence', async () => {
    await expect(aws('ecs', 'list-clusters')).rejects.toThrow('UnknownOperationException');
    await expect(aws('ec2', 'describe-vpcs')).rejects.toThrow('InvalidAction');
    await expect(aws('kms', 'list-keys')).rejects.toThrow('UnknownServiceException');
  });
});
