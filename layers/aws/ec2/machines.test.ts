import type { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type Answer, networkError, scriptedClient, sdkError } from '../../../test/support/scriptedClient.ts';
import type { CapacityOrder, Pool } from '../../domain/model/pool.ts';
import { createEc2Machines } from './machines.ts';

const pool: Pool = {
  name: 'default',
  cluster: 'demo',
  instanceTypes: ['c6i.large', 'm6i.*'],
  lifecycles: ['on-demand'],
  zones: ['us-east-1a', 'us-east-1b'],
  minHosts: 0,
  maxHosts: 3,
  desiredHosts: 0,
  headroom: {},
  maxHostVcpus: 16,
  launchTemplate: 'lt-0123',
  subnets: { 'us-east-1a': 'subnet-a', 'us-east-1b': 'subnet-b' },
  idleHostMs: 60_000,
  alarmStep: 1,
};

const offer = (instanceType: string, zone: 'a' | 'b') => ({
  instanceType,
  zone: `us-east-1${zone}`,
  subnet: `subnet-${zone}`,
  usdPerHour: 0.085,
  capacity: { cpu: 2048, memory: 3600 },
  architecture: 'x86_64' as const,
});

const order: CapacityOrder = {
  orderId: 'order1',
  cluster: 'demo',
  pool: 'default',
  state: 'OPEN',
  createdAt: 0,
  lifecycle: 'on-demand',
  hosts: 2,
  offers: [offer('c6i.large', 'a'), offer('c6i.large', 'b'), offer('m6i.large', 'a')],
  reason: 'two tasks wait',
  bought: [],
  errors: [],
};

function ec2With(script: Readonly<Record<string, readonly Answer[]>>) {
  let now = 1_000_000;
  const scripted = scriptedClient<EC2Client>(script);
  const machines = createEc2Machines({
    client: scripted.client,
    clock: { now: () => now },
    sleep: async () => {},
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { ...scripted, machines, advance };
}

const overrides = (type: string, zone: 'a' | 'b') => ({
  LaunchTemplateAndOverrides: { Overrides: { InstanceType: type, SubnetId: `subnet-${zone}` } },
});

describe('buying', () => {
  it('asks once, for an instant fleet that carries the order in token and tags', async () => {
    const { machines, inputs } = ec2With({ CreateFleet: [{ Instances: [], Errors: [] }] });
    await machines.buy(order, pool);
    expect(inputs('CreateFleet')).toMatchObject([
      {
        Type: 'instant',
        ClientToken: 'order1',
        TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: 'on-demand' },
        OnDemandOptions: { AllocationStrategy: 'prioritized', SingleInstanceType: false },
        LaunchTemplateConfigs: [
          {
            LaunchTemplateSpecification: { LaunchTemplateId: 'lt-0123', Version: '$Latest' },
            Overrides: [
              { InstanceType: 'c6i.large', SubnetId: 'subnet-a', Priority: 0 },
              { InstanceType: 'c6i.large', SubnetId: 'subnet-b', Priority: 1 },
              { InstanceType: 'm6i.large', SubnetId: 'subnet-a', Priority: 2 },
            ],
          },
        ],
      },
    ]);
    const tags = [
      { Key: 'berth:cluster', Value: 'demo' },
      { Key: 'berth:pool', Value: 'default' },
      { Key: 'berth:order', Value: 'order1' },
    ];
    expect(inputs('CreateFleet')[0]?.TagSpecifications).toEqual([
      { ResourceType: 'fleet', Tags: tags },
      { ResourceType: 'instance', Tags: tags },
    ]);
  });

  it('names a template by its name and lets Spot choose by price and capacity', async () => {
    const { machines, inputs } = ec2With({ CreateFleet: [{}] });
    await machines.buy({ ...order, lifecycle: 'spot' }, { ...pool, launchTemplate: 'hosts' });
    expect(inputs('CreateFleet')[0]).toMatchObject({
      SpotOptions: { AllocationStrategy: 'price-capacity-optimized' },
      LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: 'hosts' } }],
    });
    expect(inputs('CreateFleet')[0]).not.toHaveProperty('OnDemandOptions');
  });

  it('reports what was bought and what there was none of', async () => {
    const { machines } = ec2With({
      CreateFleet: [
        {
          Instances: [
            {
              ...overrides('c6i.large', 'b'),
              InstanceIds: ['i-0a1'],
              InstanceType: 'c6i.large',
              Lifecycle: 'on-demand',
            },
          ],
          Errors: [
            {
              ...overrides('c6i.large', 'a'),
              Lifecycle: 'on-demand',
              ErrorCode: 'InsufficientInstanceCapacity',
              ErrorMessage: 'none left',
            },
            {
              ...overrides('c6i.large', 'a'),
              Lifecycle: 'on-demand',
              ErrorCode: 'InsufficientInstanceCapacity',
              ErrorMessage: 'none left',
            },
            {
              ...overrides('m6i.large', 'a'),
              Lifecycle: 'on-demand',
              ErrorCode: 'InvalidParameterValue',
              ErrorMessage: 'bad',
            },
          ],
        },
      ],
    });
    expect(await machines.buy(order, pool)).toEqual({
      outcome: 'bought',
      instances: [{ hostId: 'i-0a1', instanceType: 'c6i.large', zone: 'us-east-1b', lifecycle: 'on-demand' }],
      shortages: [
        {
          instanceType: 'c6i.large',
          zone: 'us-east-1a',
          lifecycle: 'on-demand',
          code: 'InsufficientInstanceCapacity',
        },
      ],
      errors: ['InsufficientInstanceCapacity: none left', 'InvalidParameterValue: bad'],
    });
  });

  it.each([
    ['a throttle', sdkError('RequestLimitExceeded', 'slow down', { status: 503 }), { outcome: 'unknown' }],
    ['no answer', networkError('ETIMEDOUT'), { outcome: 'unknown' }],
    [
      'a refusal',
      sdkError('InvalidLaunchTemplateId.NotFound', 'no such template'),
      { outcome: 'failed', code: 'InvalidLaunchTemplateId.NotFound' },
    ],
  ])('tells %s', async (_, error, outcome) => {
    expect(await ec2With({ CreateFleet: [error] }).machines.buy(order, pool)).toMatchObject(outcome);
  });

  it('takes a shortage of the whole request for one of every offer', async () => {
    const { machines } = ec2With({ CreateFleet: [sdkError('VcpuLimitExceeded', 'limit of 8 vCPU')] });
    const outcome = await machines.buy(order, pool);
    expect(outcome).toMatchObject({ outcome: 'bought', instances: [] });
    expect(outcome.outcome === 'bought' && outcome.shortages).toHaveLength(3);
  });
});

describe('giving back', () => {
  const unknown = (...ids: string[]): Error =>
    sdkError('InvalidInstanceID.NotFound', `The instance IDs '${ids.join(', ')}' do not exist`);

  it('leaves out what EC2 does not know and terminates the rest', async () => {
    const { machines, inputs } = ec2With({ TerminateInstances: [unknown('i-0a', 'i-0b'), {}] });
    await machines.terminate(['i-0a', 'i-0b', 'i-0c', 'i-0c']);
    expect(inputs('TerminateInstances').map(({ InstanceIds }) => InstanceIds)).toEqual([
      ['i-0a', 'i-0b', 'i-0c'],
      ['i-0c'],
    ]);
  });

  it('is done when EC2 knows none', async () => {
    const { machines, inputs } = ec2With({ TerminateInstances: [unknown('i-0a')] });
    await machines.terminate(['i-0a']);
    expect(inputs('TerminateInstances')).toHaveLength(1);
  });

  it('throws an answer it cannot use instead of asking for ever', async () => {
    const error = sdkError('InvalidInstanceID.NotFound', 'some do not exist');
    await expect(ec2With({ TerminateInstances: [error] }).machines.terminate(['i-0a'])).rejects.toBe(error);
  });
});

describe('listing', () => {
  it('finds the cluster’s machines by tag, over all pages', async () => {
    const instance = (id: string, more: object = {}) => ({
      InstanceId: id,
      InstanceType: 'c6i.large',
      State: { Name: 'running' },
      LaunchTime: new Date(5000),
      Placement: { AvailabilityZone: 'us-east-1a' },
      Tags: [
        { Key: 'berth:pool', Value: 'default' },
        { Key: 'berth:order', Value: 'order1' },
      ],
      ...more,
    });
    const { machines, inputs } = ec2With({
      DescribeInstances: [
        { Reservations: [{ Instances: [instance('i-0a')] }], NextToken: 'two' },
        { Reservations: [{ Instances: [instance('i-0b', { InstanceLifecycle: 'spot', Tags: [] })] }] },
      ],
    });
    const common = { state: 'running', instanceType: 'c6i.large', zone: 'us-east-1a', launchedAt: 5000 };
    expect(await machines.list('demo')).toEqual([
      { ...common, hostId: 'i-0a', lifecycle: 'on-demand', pool: 'default', orderId: 'order1' },
      { ...common, hostId: 'i-0b', lifecycle: 'spot' },
    ]);
    expect(inputs('DescribeInstances')).toMatchObject([
      { Filters: [{ Name: 'tag:berth:cluster', Values: ['demo'] }] },
      { NextToken: 'two' },
    ]);
  });
});

describe('instance types', () => {
  const info = (name: string, vcpus = 2, memory = 4096) => ({
    InstanceType: name,
    VCpuInfo: { DefaultVCpus: vcpus },
    MemoryInfo: { SizeInMiB: memory },
    ProcessorInfo: { SupportedArchitectures: ['x86_64'] },
    NetworkInfo: { MaximumNetworkInterfaces: 3 },
  });
  const types = { InstanceTypes: [info('c6i.large'), info('m6i.large', 2, 8192), info('no.such')] };

  it('come by the pools’ patterns, with prices, less those without one', async () => {
    const { machines, inputs } = ec2With({ DescribeInstanceTypes: [types] });
    const found = await machines.instanceTypes([pool]);
    expect(inputs('DescribeInstanceTypes')).toMatchObject([
      { Filters: [{ Name: 'instance-type', Values: ['c6i.large', 'm6i.*'] }] },
    ]);
    expect(found.map(({ name, usdPerHour }) => [name, usdPerHour])).toEqual([
      ['c6i.large', 0.085],
      ['m6i.large', 0.096],
    ]);
    expect(found[0]).toMatchObject({
      architecture: 'x86_64',
      maxTaskEnis: 2,
      capacity: { cpu: 2048, eni: 2 },
    });
    expect(found[0]?.capacity.memory).toBeLessThan(4096);
  });

  it('are read once, Spot prices again when they have aged', async () => {
    const spot = {
      SpotPriceHistory: [
        { InstanceType: 'c6i.large', SpotPrice: '0.0391', AvailabilityZone: 'us-east-1b' },
        { InstanceType: 'c6i.large', SpotPrice: '0.0355', AvailabilityZone: 'us-east-1a' },
      ],
    };
    const { machines, inputs, advance } = ec2With({
      DescribeInstanceTypes: [types],
      DescribeSpotPriceHistory: [spot],
    });
    const pools = [{ ...pool, lifecycles: ['spot', 'on-demand'] as const }];
    const [first, second] = await machines.instanceTypes(pools);
    expect(first?.spotUsdPerHour).toBe(0.0355);
    expect(second).not.toHaveProperty('spotUsdPerHour');
    await machines.instanceTypes(pools);
    expect(inputs('DescribeSpotPriceHistory')).toHaveLength(1);
    advance(400_000);
    await machines.instanceTypes(pools);
    expect(inputs('DescribeSpotPriceHistory')).toHaveLength(2);
    expect(inputs('DescribeInstanceTypes')).toHaveLength(1);
  });

  it('are asked for again after a failure', async () => {
    const { machines } = ec2With({
      DescribeInstanceTypes: [sdkError('UnauthorizedOperation', 'no', { status: 403 }), types],
    });
    await expect(machines.instanceTypes([pool])).rejects.toThrow('no');
    expect(await machines.instanceTypes([pool])).toHaveLength(2);
  });
});
