import type {
  ContainerDefinition,
  ContainerInstance,
  RunTaskCommandInput,
  RunTaskCommandOutput,
  Task,
} from '@aws-sdk/client-ecs';
import type { AwsEvent } from '../engine/service.ts';
import { type TestContext, testCall, testContext } from '../engine/testContext.ts';
import { VirtualHosts } from '../hosts/virtualHosts.ts';
import type { Run } from '../hosts/virtualRun.ts';
import { agentCapabilities } from './definitionNeeds.ts';
import { createEcs, type Ecs } from './ecs.ts';

export interface TestEcs {
  readonly context: TestContext;
  readonly ecs: Ecs;
  readonly hosts: VirtualHosts;
  readonly events: AwsEvent[];
  call<O>(operation: string, input: object): Promise<O>;
  /** Registers a family with one container of this shape and returns its ARN. */
  define(family: string, container?: Partial<ContainerDefinition>): Promise<string>;
  /** A host of 2 vCPU and 4000 MiB that is up and registered. */
  host(instanceId: string, attributes?: Record<string, string>): Promise<string>;
  run(taskDefinition: string, input?: Partial<RunTaskCommandInput>): Promise<RunTaskCommandOutput>;
  task(arn: string | undefined): Promise<Task>;
  instance(arn: string): Promise<ContainerInstance>;
  /** Details of the task's events, oldest first. */
  eventsOf(arn: string | undefined): Record<string, unknown>[];
}

/** ECS on virtual hosts, without EC2: hosts are registered by hand, into cluster `c`. */
export async function testEcs(
  options: { readonly over?: Partial<TestContext>; readonly run?: Run; readonly hosts?: VirtualHosts } = {},
): Promise<TestEcs> {
  const context = testContext(options.over);
  const run = options.run ?? {};
  const hosts = options.hosts ?? new VirtualHosts({ clock: context.clock, bootMs: 0, run: () => run });
  const events: AwsEvent[] = [];
  const ecs = createEcs(context, { events: { emit: (event) => events.push(event) }, backend: hosts });
  const attributesOf = new Map<string, Record<string, string>>();
  hosts.observe({
    booted(ec2InstanceId) {
      ecs.registerHost({
        cluster: 'c',
        ec2InstanceId,
        agentVersion: '1.86.3',
        dockerVersion: 'DockerVersion: 25.0.3',
        registered: { cpu: 2048, memory: 4000, gpus: 0, ports: ['22/tcp'] },
        attributes: {
          ...agentCapabilities,
          'ecs.cpu-architecture': 'x86_64',
          ...attributesOf.get(ec2InstanceId),
        },
        tags: {},
      });
    },
    bootFailed: () => {},
    terminated: (id) => ecs.instanceTerminated(id),
    agentConnected: (id, connected) => ecs.agentConnected(id, connected),
    containerChanged: (id, taskArn, change) => ecs.containerChanged(id, taskArn, change),
  });
  const test: TestEcs = {
    context,
    ecs,
    hosts,
    events,
    call: async <O>(operation: string, input: object) =>
      (await ecs.service.operations[operation]?.(input, testCall)) as O,
    async define(family, container = {}) {
      const output = await test.call<{ taskDefinition: { taskDefinitionArn: string } }>(
        'RegisterTaskDefinition',
        {
          family,
          containerDefinitions: [{ name: 'main', image: 'busybox', memory: 100, cpu: 100, ...container }],
        },
      );
      return output.taskDefinition.taskDefinitionArn;
    },
    async host(instanceId, attributes = {}) {
      attributesOf.set(instanceId, attributes);
      hosts.boot({
        instanceId,
        instanceType: 'c6i.large',
        vcpus: 2,
        memoryMiB: 4096,
        architecture: 'x86_64',
        zone: 'us-east-1a',
        lifecycle: 'on-demand',
        privateIp: '10.0.0.1',
        userData: '',
        tags: {},
      });
      await context.clock.advance(0);
      const filter = `ec2InstanceId == ${instanceId}`;
      const { containerInstanceArns } = await test.call<{ containerInstanceArns: string[] }>(
        'ListContainerInstances',
        { cluster: 'c', filter },
      );
      return containerInstanceArns[0] ?? '';
    },
    run: (taskDefinition, input = {}) => test.call('RunTask', { cluster: 'c', taskDefinition, ...input }),
    async task(arn) {
      const { tasks } = await test.call<{ tasks: Task[] }>('DescribeTasks', {
        cluster: 'c',
        tasks: [arn],
        include: ['TAGS'],
      });
      if (tasks[0] === undefined) throw new Error(`no task ${arn}`);
      return tasks[0];
    },
    async instance(arn) {
      const input = { cluster: 'c', containerInstances: [arn] };
      const output = await test.call<{ containerInstances: ContainerInstance[] }>(
        'DescribeContainerInstances',
        input,
      );
      if (output.containerInstances[0] === undefined) throw new Error(`no container instance ${arn}`);
      return output.containerInstances[0];
    },
    eventsOf: (arn) =>
      events
        .filter((event) => event.resources[0] === arn)
        .map((event) => event.detail as Record<string, unknown>),
  };
  await test.call('CreateCluster', { clusterName: 'c' });
  return test;
}
