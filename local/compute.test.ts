import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateFleetCommandOutput } from '@aws-sdk/client-ec2';
import type { ContainerInstance, RunTaskCommandOutput, Task } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { registeredMemoryMiB } from './compute/registration.ts';
import { type Compute, createCompute } from './compute.ts';
import { images } from './ec2/images.ts';
import { zones } from './ec2/network.ts';
import type { AwsEvent } from './engine/service.ts';
import { sqliteState } from './engine/state.ts';
import { restarted } from './engine/testClock.ts';
import { type TestContext, testCall, testContext } from './engine/testContext.ts';
import { VirtualHosts } from './hosts/virtualHosts.ts';
import type { Run } from './hosts/virtualRun.ts';

interface Cloud {
  readonly context: TestContext;
  readonly compute: Compute;
  readonly hosts: VirtualHosts;
  readonly events: AwsEvent[];
  ec2<O>(operation: string, input: object): Promise<O>;
  ecs<O>(operation: string, input: object): Promise<O>;
}

function cloud(over: Partial<TestContext> = {}, run: Run = {}, known?: VirtualHosts): Cloud {
  const context = testContext(over);
  const hosts = known ?? new VirtualHosts({ clock: context.clock, bootMs: 100, run: () => run });
  const events: AwsEvent[] = [];
  const compute = createCompute(context, {
    events: { emit: (event) => events.push(event) },
    backend: hosts,
    bootMs: 2000,
    terminateGraceMs: 1000,
  });
  return {
    context,
    compute,
    hosts,
    events,
    ec2: async <O>(name: string, input: object) =>
      (await compute.ec2.service.operations[name]?.(input, testCall)) as O,
    ecs: async <O>(name: string, input: object) =>
      (await compute.ecs.service.operations[name]?.(input, testCall)) as O,
  };
}

const userData = Buffer.from(
  'ECS_CLUSTER=c\nECS_INSTANCE_ATTRIBUTES={"berth.pool":"p"}\nECS_RESERVED_MEMORY=128\nECS_ENABLE_SPOT_INSTANCE_DRAINING=true',
).toString('base64');

async function prepare(c: Cloud): Promise<void> {
  await c.ecs('CreateCluster', { clusterName: 'c' });
  await c.ec2('CreateLaunchTemplate', {
    LaunchTemplateName: 'pool',
    LaunchTemplateData: { ImageId: images[0]?.imageId, UserData: userData },
  });
  await c.ecs('RegisterTaskDefinition', {
    family: 'web',
    containerDefinitions: [{ name: 'main', image: 'busybox', cpu: 10, memory: 10 }],
  });
}

async function buy(c: Cloud, count: number, lifecycle = 'on-demand', zone = 0): Promise<string[]> {
  const fleet = await c.ec2<CreateFleetCommandOutput>('CreateFleet', {
    Type: 'instant',
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateName: 'pool' },
        Overrides: [{ InstanceType: 'c6i.large', SubnetId: zones[zone]?.subnetId }],
      },
    ],
    TargetCapacitySpecification: { TotalTargetCapacity: count, DefaultTargetCapacityType: lifecycle },
  });
  return fleet.Instances?.[0]?.InstanceIds ?? [];
}

async function hostsOf(c: Cloud): Promise<ContainerInstance[]> {
  const { containerInstanceArns } = await c.ecs<{ containerInstanceArns: string[] }>(
    'ListContainerInstances',
    {
      cluster: 'c',
    },
  );
  if (containerInstanceArns.length === 0) return [];
  const input = { cluster: 'c', containerInstances: containerInstanceArns };
  return (await c.ecs<{ containerInstances: ContainerInstance[] }>('DescribeContainerInstances', input))
    .containerInstances;
}

const run = (c: Cloud, input: object = {}): Promise<RunTaskCommandOutput> =>
  c.ecs('RunTask', { cluster: 'c', taskDefinition: 'web', ...input });

async function task(c: Cloud, arn: string | undefined): Promise<Task | undefined> {
  const { tasks } = await c.ecs<{ tasks: Task[] }>('DescribeTasks', { cluster: 'c', tasks: [arn] });
  return tasks[0];
}

describe('instances as hosts', () => {
  it('register with what their type and user data say when they have booted', async () => {
    const c = cloud();
    await prepare(c);
    const [instanceId] = await buy(c, 1);
    await c.context.clock.advance(1999);
    expect(await hostsOf(c)).toEqual([]);
    await c.context.clock.advance(1);
    const [host] = await hostsOf(c);
    expect(host).toMatchObject({ ec2InstanceId: instanceId, status: 'ACTIVE', agentConnected: true });
    const amounts = Object.fromEntries(
      (host?.registeredResources ?? []).map((each) => [each.name, each.stringSetValue ?? each.integerValue]),
    );
    expect(amounts).toEqual({
      CPU: 2048,
      MEMORY: registeredMemoryMiB(4096, 128),
      PORTS: ['22', '2375', '2376', '51678', '51679'],
      PORTS_UDP: [],
    });
    expect(Object.fromEntries((host?.attributes ?? []).map((each) => [each.name, each.value]))).toMatchObject(
      {
        'berth.pool': 'p',
        'ecs.ami-id': images[0]?.imageId,
        'ecs.availability-zone': 'us-east-1a',
        'ecs.cpu-architecture': 'x86_64',
        'ecs.instance-type': 'c6i.large',
        'ecs.os-type': 'linux',
        'ecs.subnet-id': zones[0]?.subnetId,
      },
    );
  });

  it('have what the kernel leaves of their memory', () => {
    expect([1024, 4096, 16_384].map((memory) => registeredMemoryMiB(memory, 0))).toEqual([928, 3892, 15_750]);
  });

  it('try again while their cluster does not exist', async () => {
    const c = cloud();
    await prepare(c);
    await c.ecs('DeleteCluster', { cluster: 'c' });
    await buy(c, 1);
    await c.context.clock.advance(5000);
    expect(c.context.lines.at(-1)).toContain('no cluster c');
    await c.ecs('CreateCluster', { clusterName: 'c' });
    await c.context.clock.advance(10_000);
    expect(await hostsOf(c)).toHaveLength(1);
  });

  it.each([0, 60_000])(
    'take their tasks with them, however long those take to stop (%i ms)',
    async (stopMs) => {
      const c = cloud({}, { stopMs });
      await prepare(c);
      const [instanceId] = await buy(c, 1);
      await c.context.clock.advance(2000);
      const { tasks } = await run(c);
      await c.context.clock.advance(0);
      await c.ec2('TerminateInstances', { InstanceIds: [instanceId] });
      expect((await hostsOf(c))[0]).toMatchObject({ status: 'ACTIVE', agentConnected: false });
      await c.context.clock.advance(1000);
      expect(await task(c, tasks?.[0]?.taskArn)).toMatchObject({
        lastStatus: 'STOPPED',
        stopCode: 'TerminationNotice',
        stoppedReason: `Host EC2 (instance ${instanceId}) terminated.`,
      });
      expect(await hostsOf(c)).toEqual([]);
      const types = c.events.slice(-4).map((event) => [event['detail-type'], event.detail]);
      expect(types).toMatchObject([
        ['EC2 Instance State-change Notification', { state: 'terminated' }],
        ['ECS Task State Change', { lastStatus: 'STOPPED' }],
        ['ECS Container Instance State Change', { status: 'ACTIVE', agentConnected: false }],
        ['ECS Container Instance State Change', { status: 'INACTIVE' }],
      ]);
    },
  );

  it('end by Spot interruption two minutes after the warning', async () => {
    const c = cloud();
    await prepare(c);
    const [instanceId = ''] = await buy(c, 1, 'spot');
    await c.context.clock.advance(2000);
    const { tasks } = await run(c);
    c.compute.ec2.interruptSpot(instanceId);
    expect((await hostsOf(c))[0]?.status).toBe('DRAINING');
    await c.context.clock.advance(119_000);
    expect((await task(c, tasks?.[0]?.taskArn))?.lastStatus).toBe('RUNNING');
    await c.context.clock.advance(3000);
    expect((await task(c, tasks?.[0]?.taskArn))?.stopCode).toBe('TerminationNotice');
  });
});

describe('a killed process', () => {
  it('finds everything again and goes on', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'compute-')), 'state.sqlite');
    const c = cloud({ state: sqliteState(file) });
    await prepare(c);
    const [first = '', second = ''] = await buy(c, 2);
    await c.context.clock.advance(2000);
    const { tasks } = await run(c, { count: 4, clientToken: 'x:1', startedBy: 'x:1' });
    await c.context.clock.advance(0);
    const [pending = ''] = await buy(c, 1);
    await c.ec2('TerminateInstances', { InstanceIds: [second] });

    // The hosts live on while the engines are away.
    const next = cloud({ state: sqliteState(file), clock: restarted(c.context.clock) }, {}, c.hosts);
    await next.compute.resume();
    await next.context.clock.advance(2000);
    const stateOf = (id: string) => next.compute.ec2.instance(id)?.state;
    expect([first, second, pending].map(stateOf)).toEqual(['running', 'terminated', 'running']);
    const again = await run(next, { count: 4, clientToken: 'x:1', startedBy: 'x:1' });
    expect(again.tasks?.map((each) => each.taskArn)).toEqual(tasks?.map((each) => each.taskArn));
    const lost = (again.tasks ?? []).filter((each) => each.lastStatus === 'STOPPED');
    for (const each of lost) expect(each.stoppedReason).toBe(`Host EC2 (instance ${second}) terminated.`);
    expect(next.hosts.running(first)).toHaveLength(4 - lost.length);
    expect((await hostsOf(next)).map((host) => host.ec2InstanceId)).toContain(first);
  });
});

describe('size', () => {
  it('keeps a pinned launch cheap with 5,000 hosts', async () => {
    const c = cloud({}, { runMs: 60_000 });
    await prepare(c);
    for (let zone = 0; zone < 3; zone++) await buy(c, 1667, 'on-demand', zone);
    await c.context.clock.advance(2000);
    const ids = c.hosts.instanceIds;
    expect(ids).toHaveLength(5001);
    const startedMs = performance.now();
    for (const [launch, instanceId] of ids.slice(0, 1000).entries()) {
      const placementConstraints = [{ type: 'memberOf', expression: `ec2InstanceId == ${instanceId}` }];
      const output = await run(c, { placementConstraints, clientToken: `t:${launch}` });
      expect(output.failures).toEqual([]);
      await c.context.clock.advance(25);
    }
    // A scan of all hosts costs more than this by itself.
    expect((performance.now() - startedMs) / 1000).toBeLessThan(2);
  });
});
