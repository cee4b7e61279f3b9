import type { ECSClient } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { type Answer, scriptedClient, sdkError } from '../../../test/support/scriptedClient.ts';
import { createEcsContainers } from './containers.ts';

const arn = 'arn:aws:ecs:us-east-1:123456789012:task-definition/hello:3';

const definition = {
  taskDefinition: {
    taskDefinitionArn: arn,
    family: 'hello',
    revision: 3,
    status: 'ACTIVE',
    networkMode: 'bridge',
    cpu: '512',
    containerDefinitions: [
      {
        name: 'app',
        image: 'hello:latest',
        cpu: 256,
        memory: 256,
        memoryReservation: 128,
        portMappings: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81, hostPort: 0 },
          { containerPort: 53, hostPort: 53, protocol: 'udp' },
        ],
      },
      {
        name: 'sidecar',
        image: 'busybox',
        essential: false,
        memory: 64,
        resourceRequirements: [{ type: 'GPU', value: '2' }],
      },
    ],
  },
};

function ecsWith(script: Readonly<Record<string, readonly Answer[]>>) {
  let now = 0;
  const waits: number[] = [];
  const scripted = scriptedClient<ECSClient>(script);
  const containers = createEcsContainers({
    client: scripted.client,
    clock: { now: () => now },
    sleep: async (ms) => void waits.push(ms),
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { ...scripted, containers, advance, waits };
}

describe('task definitions', () => {
  it('are read as what they take of a host', async () => {
    const { containers } = ecsWith({ DescribeTaskDefinition: [definition] });
    expect(await containers.describeTaskDefinition('hello')).toEqual({
      arn,
      family: 'hello',
      revision: 3,
      cpuUnits: 512,
      networkMode: 'bridge',
      containers: [
        {
          name: 'app',
          image: 'hello:latest',
          cpuUnits: 256,
          memoryMiB: 128,
          gpus: 0,
          essential: true,
          hostPorts: ['8080/tcp', '53/udp'],
        },
        {
          name: 'sidecar',
          image: 'busybox',
          cpuUnits: 0,
          memoryMiB: 64,
          gpus: 2,
          essential: false,
          hostPorts: [],
        },
      ],
    });
  });

  it('are remembered by ARN, by family only for a moment, and read once for many who ask together', async () => {
    const { containers, inputs, advance } = ecsWith({ DescribeTaskDefinition: [definition] });
    await Promise.all(Array.from({ length: 20 }, () => containers.describeTaskDefinition('hello')));
    await containers.describeTaskDefinition(arn);
    expect(inputs('DescribeTaskDefinition')).toHaveLength(1);
    advance(10_000);
    await containers.describeTaskDefinition(arn);
    expect(inputs('DescribeTaskDefinition')).toHaveLength(1);
    await containers.describeTaskDefinition('hello');
    expect(inputs('DescribeTaskDefinition')).toHaveLength(2);
  });

  it('are absent when ECS knows none or has retired it, and that is not remembered', async () => {
    const none = sdkError('ClientException', 'Unable to describe task definition.');
    const inactive = { taskDefinition: { ...definition.taskDefinition, status: 'INACTIVE' } };
    const { containers } = ecsWith({ DescribeTaskDefinition: [none, inactive, definition] });
    expect(await containers.describeTaskDefinition('hello')).toBeUndefined();
    expect(await containers.describeTaskDefinition('hello')).toBeUndefined();
    expect(await containers.describeTaskDefinition('hello')).toMatchObject({ arn });
  });

  it('are asked for again, later and later, when ECS throttles, and given up on at last', async () => {
    const throttle = sdkError('ThrottlingException', 'Rate exceeded');
    const later = ecsWith({ DescribeTaskDefinition: [throttle, throttle, definition] });
    expect(await later.containers.describeTaskDefinition('hello')).toMatchObject({ arn });
    expect(later.waits).toEqual([100, 200]);
    const never = ecsWith({ DescribeTaskDefinition: [throttle] });
    await expect(never.containers.describeTaskDefinition('hello')).rejects.toBe(throttle);
    expect(never.waits).toEqual([100, 200, 400, 800]);
  });
});

const clusterArn = 'arn:aws:ecs:us-east-1:123456789012:cluster/demo';
const taskArn = (n: number): string => `arn:aws:ecs:us-east-1:123456789012:task/demo/${n}`;
const host = (n: number): string => `arn:aws:ecs:us-east-1:123456789012:container-instance/demo/${n}`;
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('tasks', () => {
  const describeTasks = (input: { readonly tasks: string[] }) => ({
    tasks: input.tasks.map((each) => ({
      taskArn: each,
      clusterArn,
      startedBy: 'k5q3:2',
      version: 4,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedAt: new Date(5000),
      containers: [
        { name: 'app', exitCode: 0 },
        { name: 'sidecar', exitCode: 9 },
      ],
      overrides: {
        containerOverrides: [{ name: 'sidecar', environment: [{ name: 'BERTH_NOT_ESSENTIAL', value: '1' }] }],
      },
    })),
  });

  it('are listed over all pages, running and stopped ones, each once, and described a hundred at a time', async () => {
    const pages = (input: { readonly desiredStatus: string; readonly nextToken?: string }) => {
      if (input.desiredStatus === 'STOPPED') return { taskArns: [taskArn(149), taskArn(150)] };
      return input.nextToken === 'two'
        ? { taskArns: range(100, 150).map(taskArn) }
        : { taskArns: range(0, 100).map(taskArn), nextToken: 'two' };
    };
    const { containers, inputs } = ecsWith({ ListTasks: [pages], DescribeTasks: [describeTasks] });
    const tasks = await containers.listTasks('demo', { startedBy: 'k5q3:2' });
    expect(tasks.map(({ ecsTaskArn }) => ecsTaskArn)).toEqual(range(0, 151).map(taskArn));
    expect(inputs('ListTasks').every(({ startedBy }) => startedBy === 'k5q3:2')).toBe(true);
    expect(inputs('DescribeTasks').map(({ tasks: asked }) => (asked as string[]).length)).toEqual([100, 51]);
  });

  it('are seen as in their events', async () => {
    const { containers } = ecsWith({ DescribeTasks: [describeTasks] });
    expect(await containers.describeTasks('demo', [taskArn(1)])).toEqual([
      {
        cluster: 'demo',
        ecsTaskArn: taskArn(1),
        ref: { taskId: 'k5q3', attempt: 2 },
        version: 4,
        lastStatus: 'STOPPED',
        desiredStatus: 'STOPPED',
        stoppedAt: 5000,
        cause: 'EXIT_ZERO',
        exitCode: 0,
        detail: 'app exited with 0',
      },
    ]);
  });

  it('cost no call when there are none', async () => {
    const { containers, inputs } = ecsWith({ ListTasks: [{ taskArns: [] }] });
    expect(await containers.listTasks('demo')).toEqual([]);
    expect(inputs('DescribeTasks')).toEqual([]);
  });
});

describe('hosts', () => {
  it('are listed with what they registered', async () => {
    const { containers } = ecsWith({
      ListContainerInstances: [{ containerInstanceArns: [host(1)] }],
      DescribeContainerInstances: [
        {
          containerInstances: [
            {
              containerInstanceArn: host(1),
              ec2InstanceId: 'i-0abc',
              version: 2,
              status: 'ACTIVE',
              agentConnected: true,
              registeredAt: new Date(1000),
              attributes: [{ name: 'ecs.availability-zone', value: 'us-east-1a' }, { name: 'bare' }],
              registeredResources: [
                { name: 'CPU', integerValue: 2048 },
                { name: 'MEMORY', integerValue: 3800 },
                { name: 'GPU', stringSetValue: ['gpu-1'] },
                { name: 'PORTS', stringSetValue: ['22'] },
              ],
            },
          ],
        },
      ],
    });
    expect(await containers.listHosts('demo')).toEqual([
      {
        cluster: 'demo',
        containerInstanceArn: host(1),
        hostId: 'i-0abc',
        version: 2,
        status: 'ACTIVE',
        agentConnected: true,
        capacity: { cpu: 2048, memory: 3800, gpu: 1000 },
        attributes: { 'ecs.availability-zone': 'us-east-1a', bare: '' },
        registeredAt: 1000,
      },
    ]);
  });

  it('are deregistered by force, and one that is gone already is no error', async () => {
    const gone = sdkError('InvalidParameterException', 'Referenced container instance 1 not found.');
    const { containers, inputs } = ecsWith({ DeregisterContainerInstance: [{}, gone] });
    await containers.deregister('demo', host(1));
    await containers.deregister('demo', host(1));
    expect(inputs('DeregisterContainerInstance')[0]).toMatchObject({ force: true });
  });
});
