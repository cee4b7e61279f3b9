import * as ec2Sdk from '@aws-sdk/client-ec2';
import * as ecsSdk from '@aws-sdk/client-ecs';
import { afterEach, expect, test } from 'vitest';
import type { Service } from '../engine/service.ts';
import { startWire, type Wire } from '../wire/server.ts';
import { accessKeyIdOf, type Caller } from './caller.ts';
import { Permissions } from './permissions.ts';
import { readPolicy } from './policy.ts';

const CLUSTER = 'arn:aws:ecs:us-east-1:000000000000:cluster/demo';
const PROFILE = 'arn:aws:iam::000000000000:instance-profile/berth-HostProfile';
const ROLE = 'arn:aws:iam::000000000000:role/berth-HostRole';
const accept: Caller = { kind: 'function', name: 'berth-accept' };

const ecs: Service = {
  signingName: 'ecs',
  operations: { ListTasks: () => ({ taskArns: [] }), ListContainerInstances: () => ({}) },
};
const ec2: Service = { signingName: 'ec2', operations: { DescribeInstances: () => ({ Reservations: [] }) } };

let wire: Wire | undefined;
afterEach(async () => {
  await wire?.close();
  wire = undefined;
});

function permissions() {
  const log: string[] = [];
  const made = new Permissions(
    {
      region: 'us-east-1',
      accountId: '000000000000',
      taskRolesOf: async () => [],
      tagsOf: async () => undefined,
      profileOf: async (id) => (id === 'i-plain' ? undefined : PROFILE),
      profileOfTemplate: async () => PROFILE,
    },
    (line) => log.push(line),
  );
  made.defineFunction(
    accept.name,
    readPolicy(
      {
        Statement: [
          {
            Effect: 'Allow',
            Action: ['ecs:ListTasks', 'ecs:ListContainerInstances'],
            Resource: '*',
            Condition: { ArnEquals: { 'ecs:cluster': CLUSTER } },
          },
        ],
      },
      'AcceptFunction',
    ),
  );
  return { made, log };
}

async function clientsOf(made: Permissions, accessKeyId: string) {
  const services = [
    { service: ecs, sdk: ecsSdk },
    { service: ec2, sdk: ec2Sdk },
  ];
  wire = await startWire({ port: 0, log: () => {}, services, gate: made });
  const config = {
    endpoint: wire.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: 'x' },
    maxAttempts: 1,
  };
  return { ecs: new ecsSdk.ECSClient(config), ec2: new ec2Sdk.EC2Client(config) };
}

test('a function does what its role allows, and nothing else', async () => {
  const { made, log } = permissions();
  made.complete();
  const clients = await clientsOf(made, accessKeyIdOf(accept));
  await clients.ecs.send(new ecsSdk.ListTasksCommand({ cluster: 'demo' }));
  expect(made.refused).toBe(0);
  await expect(clients.ecs.send(new ecsSdk.ListTasksCommand({ cluster: 'other' }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining(
      'berth-accept is not authorized to perform: ecs:ListTasks on resource: arn:aws:ecs:us-east-1:000000000000:container-instance/other/*',
    ),
  });
  // The action does not know the condition, so that the statement never applies to it.
  await expect(
    clients.ecs.send(new ecsSdk.ListContainerInstancesCommand({ cluster: 'demo' })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect(clients.ec2.send(new ec2Sdk.DescribeInstancesCommand({}))).rejects.toMatchObject({
    name: 'UnauthorizedOperation',
    $metadata: { httpStatusCode: 403 },
  });
  expect(made.refused).toBe(3);
  expect(log[0]).toBe(
    `refused: berth-accept is not authorized to perform: ecs:ListTasks on resource: arn:aws:ecs:us-east-1:000000000000:container-instance/other/* because no identity-based policy allows the ecs:ListTasks action; ecs:cluster arn:aws:ecs:us-east-1:000000000000:cluster/other (template.yaml grants it nowhere)`,
  );
});

test('whoever has another key may do everything', async () => {
  const { made } = permissions();
  const clients = await clientsOf(made, 'AKIAOPERATOR');
  await clients.ecs.send(new ecsSdk.ListTasksCommand({ cluster: 'other' }));
  await clients.ec2.send(new ec2Sdk.DescribeInstancesCommand({}));
  expect(made.refused).toBe(0);
});

test('a function that nobody declared has no permission; before all are declared it is told to come again', async () => {
  const { made } = permissions();
  const call = { signingName: 'ecs', operation: 'ListTasks', input: { cluster: 'demo' } };
  const stranger = accessKeyIdOf({ kind: 'function', name: 'stranger' });
  await expect(made.check(stranger, call)).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    statusCode: 503,
  });
  expect(made.refused).toBe(0);
  made.complete();
  await expect(made.check(stranger, call)).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

test('a host reports to the partition of its own instance only', async () => {
  const { made } = permissions();
  made.defineTable('berth', 'pk');
  made.defineProfile(PROFILE, ROLE);
  made.defineRole(
    ROLE,
    readPolicy(
      {
        Statement: {
          Effect: 'Allow',
          Action: ['dynamodb:PutItem', 'dynamodb:Query'],
          Resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/berth',
          Condition: {
            'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [`\${ec2:SourceInstanceARN}`] },
            Null: { 'dynamodb:LeadingKeys': 'false' },
          },
        },
      },
      'HostRole',
    ),
  );
  made.complete();
  const put = (pk: string) => ({
    signingName: 'dynamodb',
    operation: 'PutItem',
    input: { TableName: 'berth', Item: { pk: { S: pk }, sk: { S: 'report' } } },
  });
  const own = 'arn:aws:ec2:us-east-1:000000000000:instance/i-1';
  const host = accessKeyIdOf({ kind: 'instance', name: 'i-1' });
  await made.check(host, put(own));
  await expect(made.check(host, put('task#1'))).rejects.toMatchObject({ code: 'AccessDeniedException' });
  await expect(
    made.check(host, { signingName: 'dynamodb', operation: 'Query', input: { TableName: 'berth' } }),
  ).rejects.toMatchObject({ code: 'AccessDeniedException' });
  const plain = accessKeyIdOf({ kind: 'instance', name: 'i-plain' });
  await expect(made.check(plain, put(own))).rejects.toMatchObject({ code: 'AccessDeniedException' });
});
