import type { ContainerInstance, ListTasksCommandOutput, TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { testEcs } from './testEcs.ts';

describe('container instances', () => {
  it('count down what tasks take and list the ports they hold', async () => {
    const t = await testEcs();
    const arn = await t.host('i-0aaa');
    await t.run(
      await t.define('web', { portMappings: [{ containerPort: 53, hostPort: 53, protocol: 'udp' }] }),
    );
    const { remainingResources, registeredResources } = await t.instance(arn);
    const amounts = (list: ContainerInstance['remainingResources']) =>
      Object.fromEntries((list ?? []).map((each) => [each.name, each.stringSetValue ?? each.integerValue]));
    expect(amounts(registeredResources)).toEqual({ CPU: 2048, MEMORY: 4000, PORTS: ['22'], PORTS_UDP: [] });
    expect(amounts(remainingResources)).toEqual({
      CPU: 1948,
      MEMORY: 3900,
      PORTS: ['22'],
      PORTS_UDP: ['53'],
    });
  });

  it('drain without losing standalone tasks', async () => {
    const t = await testEcs();
    const arn = await t.host('i-0aaa');
    const { tasks } = await t.run(await t.define('web'));
    await t.context.clock.advance(0);
    const input = { cluster: 'c', containerInstances: [arn, 'f'.repeat(32)], status: 'DRAINING' };
    expect(await t.call('UpdateContainerInstancesState', input)).toMatchObject({
      containerInstances: [{ status: 'DRAINING', runningTasksCount: 1 }],
      failures: [{ reason: 'MISSING' }],
    });
    expect((await t.task(tasks?.[0]?.taskArn)).lastStatus).toBe('RUNNING');
    expect(t.eventsOf(arn).at(-1)).toMatchObject({ status: 'DRAINING' });
  });

  it('deregister with force only while tasks run', async () => {
    const t = await testEcs();
    const arn = await t.host('i-0aaa');
    const { tasks } = await t.run(await t.define('web'));
    const input = { cluster: 'c', containerInstance: arn };
    await expect(t.call('DeregisterContainerInstance', input)).rejects.toMatchObject({
      message: 'Found running tasks on the instance.',
    });
    await t.call('DeregisterContainerInstance', { ...input, force: true });
    expect(await t.instance(arn)).toMatchObject({ status: 'INACTIVE' });
    expect(await t.task(tasks?.[0]?.taskArn)).toMatchObject({ lastStatus: 'STOPPED' });
  });

  it('are found by the query language', async () => {
    const t = await testEcs();
    const a = await t.host('i-0aaa', { stack: 'prod' });
    const b = await t.host('i-0bbb');
    const list = (filter: string) => t.call('ListContainerInstances', { cluster: 'c', filter });
    expect(await list('attribute:stack == prod')).toMatchObject({ containerInstanceArns: [a] });
    expect(await list('ec2InstanceId in [i-0bbb, i-0aaa]')).toMatchObject({ containerInstanceArns: [a, b] });
    await t.run(await t.define('web'), {
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:stack not_exists' }],
    });
    expect(await list('task:group == family:web')).toMatchObject({ containerInstanceArns: [b] });
    await expect(list('task:grp == x')).rejects.toMatchObject({ code: 'InvalidParameterException' });
  });

  it('register by API as an agent does', async () => {
    const t = await testEcs();
    const input = {
      cluster: 'c',
      instanceIdentityDocument: JSON.stringify({ instanceId: 'i-0123456789abcdef0' }),
      totalResources: [
        { name: 'CPU', type: 'INTEGER', integerValue: 1024 },
        { name: 'MEMORY', type: 'INTEGER', integerValue: 900 },
        { name: 'PORTS', type: 'STRINGSET', stringSetValue: ['22'] },
      ],
      attributes: [{ name: 'stack', value: 'prod' }],
      versionInfo: { agentVersion: '1.90.0' },
    };
    const output = await t.call('RegisterContainerInstance', input);
    expect(output).toMatchObject({
      containerInstance: { ec2InstanceId: 'i-0123456789abcdef0', status: 'ACTIVE', agentConnected: true },
    });
    await expect(
      t.call('RegisterContainerInstance', { ...input, instanceIdentityDocument: '{}' }),
    ).rejects.toMatchObject({ code: 'ClientException' });
  });
});

describe('attributes and tags', () => {
  it('can be put, queried and deleted, except the agent’s own', async () => {
    const t = await testEcs();
    const arn = await t.host('i-0aaa');
    const attributes = [{ name: 'stack', value: 'prod', targetId: arn }];
    await t.call('PutAttributes', { cluster: 'c', attributes });
    const listed = { cluster: 'c', targetType: 'container-instance', attributeName: 'stack' };
    expect(await t.call('ListAttributes', listed)).toMatchObject({
      attributes: [{ name: 'stack', value: 'prod', targetId: arn }],
    });
    await t.call('DeleteAttributes', { cluster: 'c', attributes: [{ name: 'stack', targetId: arn }] });
    expect(await t.call('ListAttributes', listed)).toMatchObject({ attributes: [] });
    const reserved = [{ name: 'ecs.instance-type', value: 'x', targetId: arn }];
    await expect(t.call('PutAttributes', { cluster: 'c', attributes: reserved })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
    const nowhere = [{ name: 'a', targetId: 'f'.repeat(32) }];
    await expect(t.call('PutAttributes', { cluster: 'c', attributes: nowhere })).rejects.toMatchObject({
      code: 'TargetNotFoundException',
    });
  });

  it('tags every kind of resource', async () => {
    const t = await testEcs();
    const hostArn = await t.host('i-0aaa');
    const definition = await t.define('web');
    const { tasks } = await t.run(definition);
    const cluster = 'arn:aws:ecs:us-east-1:000000000000:cluster/c';
    for (const resourceArn of [cluster, hostArn, definition, tasks?.[0]?.taskArn]) {
      await t.call('TagResource', {
        resourceArn,
        tags: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      });
      await t.call('UntagResource', { resourceArn, tagKeys: ['b'] });
      expect(await t.call('ListTagsForResource', { resourceArn })).toEqual({
        tags: [{ key: 'a', value: '1' }],
      });
    }
    const reserved = { resourceArn: cluster, tags: [{ key: 'aws:x', value: '' }] };
    await expect(t.call('TagResource', reserved)).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
  });
});

describe('task definitions', () => {
  it('fill in defaults, count revisions and list them', async () => {
    const t = await testEcs();
    await t.define('web');
    const second = await t.define('web');
    await t.define('batch');
    const { taskDefinition } = await t.call<{ taskDefinition: TaskDefinition }>('DescribeTaskDefinition', {
      taskDefinition: 'web',
    });
    expect(taskDefinition).toMatchObject({
      taskDefinitionArn: second,
      revision: 2,
      status: 'ACTIVE',
      containerDefinitions: [{ essential: true, environment: [], portMappings: [] }],
    });
    expect(await t.call('ListTaskDefinitions', { familyPrefix: 'web', maxResults: 1 })).toMatchObject({
      taskDefinitionArns: [expect.stringContaining('web:1')],
      nextToken: '1',
    });
    await t.call('DeregisterTaskDefinition', { taskDefinition: 'batch:1' });
    expect(await t.call('ListTaskDefinitionFamilies', { status: 'ACTIVE' })).toMatchObject({
      families: ['web'],
    });
    expect(await t.call('ListTaskDefinitionFamilies', { status: 'INACTIVE' })).toMatchObject({
      families: ['batch'],
    });
    await expect(t.call('DescribeTaskDefinition', { taskDefinition: 'none' })).rejects.toMatchObject({
      code: 'ClientException',
      message: 'Unable to describe task definition.',
    });
  });

  const main = { name: 'main', image: 'x', memory: 10 };
  it.each([
    [{ family: 'a b', containerDefinitions: [main] }, 'Family contains invalid characters.'],
    [{ family: 'a', containerDefinitions: [] }, 'empty'],
    [
      {
        family: 'a',
        containerDefinitions: Array.from({ length: 11 }, (_, n) => ({ ...main, name: `m${n}` })),
      },
      '10',
    ],
    [{ family: 'a', containerDefinitions: [{ name: 'm', image: 'x' }] }, "'memory' or 'memoryReservation'"],
    [{ family: 'a', containerDefinitions: [{ ...main, memoryReservation: 11 }] }, 'greater'],
    [{ family: 'a', containerDefinitions: [{ ...main, essential: false }] }, 'essential'],
    [{ family: 'a', containerDefinitions: [main, main] }, 'unique'],
    [{ family: 'a', memory: '9', containerDefinitions: [main] }, "'memory'"],
    [{ family: 'a', cpu: 'lots', containerDefinitions: [main] }, "Invalid 'cpu'"],
    [
      {
        family: 'a',
        containerDefinitions: [{ ...main, dependsOn: [{ containerName: 'b', condition: 'START' }] }],
      },
      'does not exist',
    ],
    [
      {
        family: 'a',
        containerDefinitions: [
          { ...main, dependsOn: [{ containerName: 'b', condition: 'START' }] },
          { ...main, name: 'b', dependsOn: [{ containerName: 'main', condition: 'START' }] },
        ],
      },
      'cyclic',
    ],
    [{ family: 'a', volumes: [{ name: 'v' }], containerDefinitions: [main] }, 'not supported'],
    [
      { family: 'a', containerDefinitions: [{ ...main, healthCheck: { command: ['CMD'] } }] },
      'not supported',
    ],
  ])('refuse %j', async (input, message) => {
    const t = await testEcs();
    await expect(t.call('RegisterTaskDefinition', input)).rejects.toMatchObject({
      code: 'ClientException',
      message: expect.stringContaining(message),
    });
  });
});

describe('clusters', () => {
  it('are described with their counts and deleted when empty', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    await t.run(await t.define('web'));
    expect(await t.call('DescribeClusters', { clusters: ['c', 'none'] })).toMatchObject({
      clusters: [{ status: 'ACTIVE', registeredContainerInstancesCount: 1, pendingTasksCount: 1 }],
      failures: [{ reason: 'MISSING' }],
    });
    await expect(t.call('DeleteCluster', { cluster: 'c' })).rejects.toMatchObject({
      code: 'ClusterContainsContainerInstancesException',
    });
    t.hosts.die('i-0aaa', 'gone');
    expect(await t.call('DeleteCluster', { cluster: 'c' })).toMatchObject({
      cluster: { status: 'INACTIVE' },
    });
    expect(await t.call('ListClusters', {})).toMatchObject({ clusterArns: [] });
  });
});

describe('ListTasks', () => {
  it('pages through filters, though tasks come and go between pages', async () => {
    const t = await testEcs();
    const hostArn = await t.host('i-0aaa');
    const definition = await t.define('web', { cpu: 0, memory: 6 });
    const arns: (string | undefined)[] = [];
    for (let call = 0; call < 5; call++) {
      const { tasks } = await t.run(definition, { count: 10, startedBy: call % 2 === 0 ? 'even' : 'odd' });
      arns.push(...(tasks ?? []).map((task) => task.taskArn));
    }
    const page = (input: object) => t.call<ListTasksCommandOutput>('ListTasks', { cluster: 'c', ...input });
    const first = await page({ maxResults: 20 });
    expect(first.taskArns).toEqual(arns.slice(0, 20));
    await t.call('StopTask', { cluster: 'c', task: arns[25] });
    const second = await page({ maxResults: 20, nextToken: first.nextToken });
    expect(second.taskArns).toEqual([...arns.slice(20, 25), ...arns.slice(26, 41)]);
    const repeated = await page({ maxResults: 20, nextToken: first.nextToken });
    expect(repeated.taskArns).toEqual(second.taskArns);
    expect((await page({ maxResults: 20, nextToken: second.nextToken })).nextToken).toBeUndefined();
    expect((await page({ startedBy: 'odd' })).taskArns).toHaveLength(20);
    expect((await page({ containerInstance: hostArn, family: 'web' })).taskArns).toHaveLength(49);
    expect((await page({ family: 'none' })).taskArns).toEqual([]);
    await expect(page({ nextToken: 'junk' })).rejects.toMatchObject({ code: 'InvalidParameterException' });
    await expect(page({ maxResults: 101 })).rejects.toMatchObject({ code: 'InvalidParameterException' });
  });
});
