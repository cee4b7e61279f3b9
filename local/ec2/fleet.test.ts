import type { CreateFleetCommandOutput } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { memoryState } from '../engine/state.ts';
import { restarted } from '../engine/testClock.ts';
import { instanceTypes } from './instanceTypes.ts';
import { testEc2 } from './testEc2.ts';

const bought = (output: CreateFleetCommandOutput): Record<string, number> =>
  Object.fromEntries(
    (output.Instances ?? []).map((each) => [
      `${each.InstanceType}/${each.AvailabilityZone}/${each.Lifecycle}`,
      each.InstanceIds?.length ?? 0,
    ]),
  );

const errors = (output: CreateFleetCommandOutput): (string | undefined)[][] =>
  (output.Errors ?? []).map((error) => [
    error.LaunchTemplateAndOverrides?.Overrides?.InstanceType,
    error.LaunchTemplateAndOverrides?.Overrides?.AvailabilityZone,
    error.Lifecycle,
    error.ErrorCode,
  ]);

describe('CreateFleet instant', () => {
  it('buys the cheapest On-Demand type, with tags of template, request and EC2', async () => {
    const t = testEc2();
    const templateId = await t.template({
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: 'template' }] }],
    });
    const output = await t.fleet(3, {
      types: ['m6i.large', 'c6i.large'],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'berth:cluster', Value: 'c' }] }],
    });
    expect(bought(output)).toEqual({ 'c6i.large/us-east-1a/on-demand': 3 });
    expect(output.Errors).toEqual([]);
    const instances = await t.instances({ 'tag:berth:cluster': ['c'] });
    expect(instances.map((each) => each.InstanceId)).toEqual(output.Instances?.[0]?.InstanceIds);
    expect(instances[0]?.Tags).toEqual([
      { Key: 'a', Value: 'template' },
      { Key: 'aws:ec2launchtemplate:id', Value: templateId },
      { Key: 'aws:ec2launchtemplate:version', Value: '1' },
      { Key: 'aws:ec2:fleet-id', Value: output.FleetId },
      { Key: 'berth:cluster', Value: 'c' },
    ]);
    expect(new Set(instances.map((each) => each.PrivateIpAddress)).size).toBe(3);
  });

  it('falls back along the overrides and says what there was none of', async () => {
    const t = testEc2();
    await t.template();
    t.ec2.setCapacity('c6i.large', 'us-east-1a', 'on-demand', 1);
    t.ec2.setCapacity('m6i.large', 'us-east-1a', 'on-demand', 0);
    const output = await t.fleet(3, { types: ['c6i.large', 'm6i.large', 'r6i.large'] });
    expect(bought(output)).toEqual({
      'c6i.large/us-east-1a/on-demand': 1,
      'r6i.large/us-east-1a/on-demand': 2,
    });
    expect(errors(output)).toEqual([
      ['c6i.large', 'us-east-1a', 'on-demand', 'InsufficientInstanceCapacity'],
      ['m6i.large', 'us-east-1a', 'on-demand', 'InsufficientInstanceCapacity'],
    ]);
  });

  it('frees capacity when instances end', async () => {
    const t = testEc2();
    await t.template();
    t.ec2.setCapacity('c6i.large', 'us-east-1a', 'on-demand', 1);
    const first = await t.fleet(1);
    expect(errors(await t.fleet(1))).toHaveLength(1);
    await t.call('TerminateInstances', { InstanceIds: first.Instances?.[0]?.InstanceIds });
    await t.context.clock.advance(1000);
    expect(bought(await t.fleet(1))).toEqual({ 'c6i.large/us-east-1a/on-demand': 1 });
  });

  it('follows priorities when prioritized', async () => {
    const t = testEc2();
    await t.template();
    const output = await t.fleet(1, {
      OnDemandOptions: { AllocationStrategy: 'prioritized' },
      overrides: [
        { InstanceType: 'c6i.large', AvailabilityZone: 'us-east-1a', Priority: 2 },
        { InstanceType: 'm6i.large', AvailabilityZone: 'us-east-1b', Priority: 1 },
      ],
    });
    expect(bought(output)).toEqual({ 'm6i.large/us-east-1b/on-demand': 1 });
  });

  it('splits between On-Demand and Spot, the rest by default type', async () => {
    const t = testEc2();
    await t.template();
    const output = await t.fleet(0, {
      TargetCapacitySpecification: {
        TotalTargetCapacity: 5,
        OnDemandTargetCapacity: 1,
        SpotTargetCapacity: 2,
        DefaultTargetCapacityType: 'spot',
      },
    });
    expect(bought(output)).toEqual({ 'c6i.large/us-east-1a/on-demand': 1, 'c6i.large/us-east-1a/spot': 4 });
    expect((await t.instances({ 'instance-lifecycle': ['spot'] })).length).toBe(4);
  });

  it('buys Spot where capacity is deep and then cheap, spreads it when diversified, counts pools for lowest price', async () => {
    const t = testEc2();
    await t.template();
    const types = ['c6i.large', 'm6i.large', 'r6i.large'];
    for (const type of types.slice(0, 2)) t.ec2.setCapacity(type, 'us-east-1a', 'spot', 2);
    const deep = await t.fleet(2, {
      types,
      lifecycle: 'spot',
      SpotOptions: { AllocationStrategy: 'price-capacity-optimized' },
    });
    expect(bought(deep)).toEqual({ 'r6i.large/us-east-1a/spot': 2 });
    const spread = await t.fleet(3, {
      types,
      lifecycle: 'spot',
      SpotOptions: { AllocationStrategy: 'diversified' },
    });
    expect(Object.values(bought(spread))).toEqual([1, 1, 1]);
    const two = await t.fleet(2, { types, lifecycle: 'spot', SpotOptions: { InstancePoolsToUseCount: 2 } });
    expect(Object.values(bought(two))).toEqual([1, 1]);
  });

  it('pays no more for Spot than the override allows', async () => {
    const t = testEc2();
    await t.template();
    const output = await t.fleet(1, {
      lifecycle: 'spot',
      overrides: [{ InstanceType: 'c6i.large', AvailabilityZone: 'us-east-1a', MaxPrice: '0.001' }],
    });
    expect(errors(output)).toEqual([['c6i.large', 'us-east-1a', 'spot', 'SpotMaxPriceTooLow']]);
  });

  it('counts weights', async () => {
    const t = testEc2();
    await t.template();
    const output = await t.fleet(5, {
      overrides: [{ InstanceType: 'c6i.xlarge', AvailabilityZone: 'us-east-1a', WeightedCapacity: 2 }],
    });
    expect(bought(output)).toEqual({ 'c6i.xlarge/us-east-1a/on-demand': 3 });
  });

  it('launches nothing below the minimum, and one type only when told so', async () => {
    const t = testEc2();
    await t.template();
    for (const type of ['c6i.large', 'm6i.large']) t.ec2.setCapacity(type, 'us-east-1a', 'on-demand', 2);
    const options = { SingleInstanceType: true, MinTargetCapacity: 3 };
    const types = ['c6i.large', 'm6i.large'];
    const none = await t.fleet(3, { types, OnDemandOptions: options });
    expect(none.Instances).toEqual([]);
    expect(errors(none).map((error) => error[3])).toContain('InsufficientInstanceCapacity');
    expect(await t.instances()).toEqual([]);
    t.ec2.setCapacity('m6i.large', 'us-east-1a', 'on-demand', 3);
    expect(bought(await t.fleet(3, { types, OnDemandOptions: options }))).toEqual({
      'm6i.large/us-east-1a/on-demand': 3,
    });
  });

  it('tries every default subnet when the override names none', async () => {
    const t = testEc2();
    await t.template();
    t.ec2.setCapacity('c6i.large', 'us-east-1a', 'on-demand', 1);
    const output = await t.fleet(2, { overrides: [{ InstanceType: 'c6i.large' }] });
    expect(bought(output)).toEqual({
      'c6i.large/us-east-1a/on-demand': 1,
      'c6i.large/us-east-1b/on-demand': 1,
    });
  });

  it('honours account limits and shortages of the fault plan', async () => {
    const faults = {
      at: (point: string, detail?: string) =>
        point === 'ec2.capacity' && detail === 'm6i.large/us-east-1a/spot'
          ? ({ kind: 'error', code: 'UnfulfillableCapacity', message: 'none', statusCode: 400 } as const)
          : undefined,
    };
    const t = testEc2({ faults }, { vcpuLimits: { onDemand: 4, spot: 2 } });
    await t.template();
    expect(errors(await t.fleet(3))).toEqual([['c6i.large', 'us-east-1a', 'on-demand', 'VcpuLimitExceeded']]);
    expect(errors(await t.fleet(2, { lifecycle: 'spot' }))[0]?.[3]).toBe('MaxSpotInstanceCountExceeded');
    expect(errors(await t.fleet(1, { lifecycle: 'spot', types: ['m6i.large'] }))[0]?.[3]).toBe(
      'UnfulfillableCapacity',
    );
  });

  it('names types that do not exist or do not suit the image, by override', async () => {
    const t = testEc2();
    await t.template();
    const output = await t.fleet(1, { types: ['c6g.large', 'x9.huge'] });
    expect(output.Errors?.map((error) => [error.ErrorCode, error.ErrorMessage])).toEqual([
      ['InvalidParameterValue', expect.stringContaining("architecture 'arm64'")],
      ['InvalidParameterValue', "Invalid value 'x9.huge' for InstanceType."],
    ]);
  });

  it('answers a repeated token with the same fleet, a different request with a mismatch, across a restart', async () => {
    const state = memoryState();
    const t = testEc2({ state });
    await t.template();
    const first = await t.fleet(2, { ClientToken: 'order-1' });
    expect(await t.fleet(2, { ClientToken: 'order-1' })).toEqual(first);
    const after = testEc2({ state, clock: restarted(t.context.clock) });
    expect(await after.fleet(2, { ClientToken: 'order-1' })).toEqual(first);
    expect(await after.instances()).toHaveLength(2);
    await expect(after.fleet(3, { ClientToken: 'order-1' })).rejects.toMatchObject({
      code: 'IdempotentParameterMismatch',
    });
  });

  it.each([
    [{ Type: 'maintain' as const }, 'UnsupportedOperation'],
    [{ LaunchTemplateConfigs: [] }, 'MissingParameter'],
    [{ TargetCapacitySpecification: { TotalTargetCapacity: 10_001 } }, 'MaxFleetCapacityExceeded'],
    [
      { TargetCapacitySpecification: { TotalTargetCapacity: 1, SpotTargetCapacity: 2 } },
      'InvalidParameterValue',
    ],
    [{ OnDemandOptions: { MinTargetCapacity: 1 } }, 'InvalidParameterValue'],
    [
      { LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: 'none' } }] },
      'InvalidLaunchTemplateName.NotFoundException',
    ],
    [
      { overrides: [{ InstanceType: 'c6i.large' as const, SubnetId: 'subnet-1' }] },
      'InvalidSubnetID.NotFound',
    ],
  ])('refuses %j', async (input, code) => {
    const t = testEc2();
    await t.template();
    await expect(t.fleet(1, input)).rejects.toMatchObject({ code });
  });

  it('knows every type of the Region with a price', () => {
    expect(instanceTypes.size).toBeGreaterThan(1300);
    for (const type of instanceTypes.values()) expect(type.usdPerHour).toBeGreaterThan(0);
  });
});
