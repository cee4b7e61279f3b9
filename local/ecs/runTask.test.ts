import type { RunTaskCommandOutput } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { type TestEcs, testEcs } from './testEcs.ts';

const reasons = (output: RunTaskCommandOutput): (string | undefined)[] =>
  (output.failures ?? []).map((failure) => failure.reason);

const hostsOf = (output: RunTaskCommandOutput): (string | undefined)[] =>
  (output.tasks ?? []).map((task) => task.containerInstanceArn);

describe('RunTask failures, in a 200', () => {
  const cases: [string, Parameters<TestEcs['define']>[1], object, string][] = [
    ['CPU', { cpu: 4096 }, {}, 'RESOURCE:CPU'],
    ['memory', { memory: 5000 }, {}, 'RESOURCE:MEMORY'],
    ['a port the host keeps', { portMappings: [{ containerPort: 22, hostPort: 22 }] }, {}, 'RESOURCE:PORTS'],
    ['a GPU', { resourceRequirements: [{ type: 'GPU', value: '1' }] }, {}, 'RESOURCE:GPU'],
    ['what the agent cannot do', { logConfiguration: { logDriver: 'gelf' } }, {}, 'ATTRIBUTE'],
    [
      'a constraint',
      {},
      { placementConstraints: [{ type: 'memberOf', expression: 'attribute:stack == prod' }] },
      'MemberOf placement constraint unsatisfied.',
    ],
    ['an override', {}, { overrides: { cpu: '4 vCPU' } }, 'RESOURCE:CPU'],
    [
      'a container override',
      {},
      { overrides: { containerOverrides: [{ name: 'main', memory: 4001 }] } },
      'RESOURCE:MEMORY',
    ],
  ];
  it.each(cases)('for %s', async (_what, container, input, reason) => {
    const t = await testEcs();
    const arn = await t.host('i-0aaa');
    const output = await t.run(await t.define('web', container), input);
    expect(output.tasks).toEqual([]);
    expect(output.failures).toEqual([{ arn, reason }]);
  });

  it('for the part of the count that does not fit', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const output = await t.run(await t.define('web', { cpu: 900 }), { count: 5 });
    expect(output.tasks).toHaveLength(2);
    expect(reasons(output)).toEqual(['RESOURCE:CPU']);
  });

  it('for a second task of the group on one host', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const output = await t.run(await t.define('web'), {
      count: 2,
      placementConstraints: [{ type: 'distinctInstance' }],
    });
    expect(output.tasks).toHaveLength(1);
    expect(reasons(output)).toEqual(['DistinctInstance placement constraint unsatisfied.']);
  });

  it('for the pinned hosts only, or for all when none of them is there', async () => {
    const t = await testEcs();
    const a = await t.host('i-0aaa');
    const b = await t.host('i-0bbb');
    const definition = await t.define('web', { cpu: 4096 });
    const pinnedTo = (id: string) => ({
      placementConstraints: [{ type: 'memberOf' as const, expression: `ec2InstanceId == ${id}` }],
    });
    expect((await t.run(definition, pinnedTo('i-0bbb'))).failures).toEqual([
      { arn: b, reason: 'RESOURCE:CPU' },
    ]);
    const gone = await t.run(definition, pinnedTo('i-0ccc'));
    expect(gone.failures?.map((failure) => failure.arn)).toEqual([a, b]);
    expect(new Set(reasons(gone))).toEqual(new Set(['MemberOf placement constraint unsatisfied.']));
  });
});

describe('RunTask errors', () => {
  it.each([
    [{ cluster: 'nowhere' }, 'ClusterNotFoundException', 'Cluster not found.'],
    [{ taskDefinition: 'none' }, 'ClientException', 'TaskDefinition not found.'],
    [{ count: 11 }, 'InvalidParameterException', 'count should be between 1 and 10.'],
    [{ startedBy: 'x'.repeat(129) }, 'InvalidParameterException', '128 characters'],
    [{ group: 'service:x' }, 'InvalidParameterException', 'Invalid namespace for group.'],
    [{ clientToken: 'with space' }, 'InvalidParameterException', 'clientToken'],
    [{ clientToken: 'x'.repeat(65) }, 'InvalidParameterException', 'clientToken'],
    [{ launchType: 'FARGATE' as const }, 'InvalidParameterException', 'FARGATE'],
    [
      { overrides: { containerOverrides: [{ name: 'other' }] } },
      'InvalidParameterException',
      'Override for container named other is not a container in the TaskDefinition.',
    ],
    [
      { placementConstraints: [{ type: 'memberOf' as const, expression: 'attribute:a =' }] },
      'InvalidParameterException',
      'Equality is written "=="',
    ],
    [
      { placementStrategy: [{ type: 'binpack' as const, field: 'disk' }] },
      'InvalidParameterException',
      'binpack',
    ],
  ])('%j', async (input, code, message) => {
    const t = await testEcs();
    await t.host('i-0aaa');
    await t.define('web');
    await expect(t.run('web', input)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('has nowhere to run in a cluster without active hosts', async () => {
    const t = await testEcs();
    await t.define('web');
    const refused = {
      code: 'InvalidParameterException',
      message: 'No Container Instances were found in your cluster.',
    };
    await expect(t.run('web')).rejects.toMatchObject(refused);
    const arn = await t.host('i-0aaa');
    await t.call('UpdateContainerInstancesState', {
      cluster: 'c',
      containerInstances: [arn],
      status: 'DRAINING',
    });
    await expect(t.run('web')).rejects.toMatchObject(refused);
  });

  it('runs no revision that was deregistered, and the latest that was not by the bare family', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const first = await t.define('web');
    const second = await t.define('web');
    await t.call('DeregisterTaskDefinition', { taskDefinition: second });
    await expect(t.run(second)).rejects.toMatchObject({
      code: 'ClientException',
      message: 'TaskDefinition is inactive',
    });
    expect((await t.run('web')).tasks?.[0]?.taskDefinitionArn).toBe(first);
  });
});

describe('client tokens', () => {
  it('answer a repeat with the first result, and a different request with a conflict', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const definition = await t.define('web');
    const first = await t.run(definition, { clientToken: 'x:1', count: 2, group: 'g' });
    const arns = first.tasks?.map((task) => task.taskArn);
    const again = await t.run(definition, { group: 'g', count: 2, clientToken: 'x:1' });
    expect(again.tasks?.map((task) => task.taskArn)).toEqual(arns);
    await expect(t.run(definition, { clientToken: 'x:1', count: 3, group: 'g' })).rejects.toMatchObject({
      code: 'ConflictException',
      fields: { resourceIds: arns },
    });
    expect((await t.run(definition, { clientToken: 'x:2' })).tasks?.[0]?.taskArn).not.toBe(arns?.[0]);
  });

  it('belong to their cluster', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const definition = await t.define('web');
    await t.run(definition, { clientToken: 'x:1' });
    await t.call('CreateCluster', { clusterName: 'd' });
    await expect(t.run(definition, { clientToken: 'x:1', cluster: 'd' })).rejects.toMatchObject({
      message: 'No Container Instances were found in your cluster.',
    });
  });

  it('keep a refusal too: the repeat is not placed although it would fit by then', async () => {
    const t = await testEcs();
    const arn = await t.host('i-0aaa');
    const big = await t.define('big', { cpu: 2000 });
    const running = await t.run(big);
    const refused = await t.run(big, { clientToken: 'x:1' });
    expect(refused.failures).toEqual([{ arn, reason: 'RESOURCE:CPU' }]);
    await t.call('StopTask', { cluster: 'c', task: running.tasks?.[0]?.taskArn });
    await t.context.clock.advance(0);
    expect((await t.run(big, { clientToken: 'x:1' })).failures).toEqual(refused.failures);
    expect((await t.run(big, { clientToken: 'x:2' })).failures).toEqual([]);
  });

  it('are good for an hour after the task’s end, and for a day at most', async () => {
    const t = await testEcs({ run: { runMs: 7_200_000 } });
    await t.host('i-0aaa');
    const definition = await t.define('web');
    const first = await t.run(definition, { clientToken: 'x:1' });
    await t.context.clock.advance(7_200_000 + 3_500_000);
    expect((await t.run(definition, { clientToken: 'x:1' })).tasks?.[0]?.taskArn).toBe(
      first.tasks?.[0]?.taskArn,
    );
    await t.context.clock.advance(200_000);
    expect((await t.run(definition, { clientToken: 'x:1' })).tasks?.[0]?.taskArn).not.toBe(
      first.tasks?.[0]?.taskArn,
    );
  });
});

describe('placement strategies', () => {
  it('binpack fills a host before the next', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    await t.host('i-0bbb');
    const output = await t.run(await t.define('web', { memory: 1000 }), {
      count: 5,
      placementStrategy: [{ type: 'binpack', field: 'memory' }],
    });
    const counts = Object.values(Object.groupBy(hostsOf(output), String)).map((list) => list?.length);
    expect(counts.sort()).toEqual([1, 4]);
  });

  it('spread evens out over zones, then over hosts', async () => {
    const t = await testEcs();
    for (const [id, zone] of [
      ['i-0aaa', 'a'],
      ['i-0bbb', 'a'],
      ['i-0ccc', 'b'],
    ] as const) {
      await t.host(id, { 'ecs.availability-zone': zone });
    }
    const output = await t.run(await t.define('web'), {
      count: 4,
      placementStrategy: [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'spread', field: 'instanceId' },
      ],
    });
    const counts = Object.values(Object.groupBy(hostsOf(output), String)).map((list) => list?.length);
    expect(counts.sort()).toEqual([1, 1, 2]);
  });
});

describe('StartTask', () => {
  it('starts on the named hosts and says of each other why not', async () => {
    const t = await testEcs();
    const a = await t.host('i-0aaa');
    const b = await t.host('i-0bbb');
    await t.call('DeregisterContainerInstance', { cluster: 'c', containerInstance: b });
    const missing = a.replace(/[^/]+$/, 'f'.repeat(32));
    const output = await t.call<RunTaskCommandOutput>('StartTask', {
      cluster: 'c',
      taskDefinition: await t.define('web'),
      containerInstances: [a, b, missing],
    });
    expect(hostsOf(output)).toEqual([a]);
    expect(output.failures).toEqual([
      { arn: b, reason: 'INACTIVE' },
      { arn: missing, reason: 'MISSING' },
    ]);
  });
});

describe('throttles', () => {
  it('RunTask, StartTask, StopTask and state updates share 100 at once and 40 a second', async () => {
    const t = await testEcs();
    await t.host('i-0aaa');
    const definition = await t.define('web', { cpu: 0, memory: 6 });
    const stop = () => t.call('StopTask', { cluster: 'c', task: 'none' });
    for (let call = 0; call < 50; call++) await t.run(definition);
    for (let call = 0; call < 50; call++)
      await expect(stop()).rejects.toMatchObject({ code: 'InvalidParameterException' });
    await expect(t.run(definition)).rejects.toMatchObject({
      code: 'ThrottlingException',
      message: 'Rate exceeded',
    });
    await t.context.clock.advance(25);
    await t.run(definition);
    await expect(t.run(definition)).rejects.toMatchObject({ code: 'ThrottlingException' });
  });
});
