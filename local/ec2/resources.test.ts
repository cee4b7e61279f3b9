import type {
  DescribeInstanceTypesCommandOutput,
  DescribeLaunchTemplateVersionsCommandOutput,
  DescribeSecurityGroupRulesCommandOutput,
  DescribeSpotPriceHistoryCommandOutput,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { instanceTypes } from './instanceTypes.ts';
import { DEFAULT_SECURITY_GROUP_ID, DEFAULT_VPC_ID, zones } from './network.ts';
import { testEc2, X86_IMAGE } from './testEc2.ts';

describe('instance types', () => {
  it('are described by name, filter and page', async () => {
    const t = testEc2();
    const types = (input: object) =>
      t.call<DescribeInstanceTypesCommandOutput>('DescribeInstanceTypes', input);
    expect((await types({ InstanceTypes: ['c6i.large'] })).InstanceTypes).toMatchObject([
      {
        InstanceType: 'c6i.large',
        VCpuInfo: { DefaultVCpus: 2 },
        MemoryInfo: { SizeInMiB: 4096 },
        ProcessorInfo: { SupportedArchitectures: ['x86_64'] },
        CurrentGeneration: true,
      },
    ]);
    let count = 0;
    let NextToken: string | undefined;
    do {
      const page = await types({ MaxResults: 100, NextToken });
      count += page.InstanceTypes?.length ?? 0;
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(count).toBe(instanceTypes.size);
    const gravitons = await types({
      Filters: [
        { Name: 'instance-type', Values: ['c7g.*'] },
        { Name: 'processor-info.supported-architecture', Values: ['arm64'] },
      ],
    });
    expect(gravitons.InstanceTypes?.length).toBeGreaterThan(5);
    await expect(types({ InstanceTypes: ['c99.tiny'] })).rejects.toMatchObject({
      code: 'InvalidInstanceType',
    });
  });

  it('are offered in every zone', async () => {
    const t = testEc2();
    const input = {
      LocationType: 'availability-zone',
      Filters: [{ Name: 'instance-type', Values: ['c6i.large'] }],
    };
    expect(await t.call('DescribeInstanceTypeOfferings', input)).toMatchObject({
      InstanceTypeOfferings: [
        { Location: 'us-east-1a' },
        { Location: 'us-east-1b' },
        { Location: 'us-east-1c' },
      ],
    });
  });
});

describe('Spot prices', () => {
  it('lie below On-Demand, differ by zone, move, and are the same for everyone', async () => {
    const t = testEc2();
    const history = (input: object) =>
      t.call<DescribeSpotPriceHistoryCommandOutput>('DescribeSpotPriceHistory', {
        InstanceTypes: ['c6i.large'],
        ...input,
      });
    const now = new Date(t.context.clock.now());
    const current = (await history({ StartTime: now })).SpotPriceHistory ?? [];
    expect(current.map((each) => each.AvailabilityZone)).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c']);
    const onDemand = instanceTypes.get('c6i.large')?.usdPerHour ?? 0;
    for (const { SpotPrice } of current) {
      expect(Number(SpotPrice)).toBeGreaterThan(onDemand * 0.2);
      expect(Number(SpotPrice)).toBeLessThan(onDemand * 0.6);
    }
    expect(new Set(current.map((each) => each.SpotPrice)).size).toBe(3);
    expect((await history({ StartTime: now })).SpotPriceHistory).toEqual(current);
    const day = await history({
      StartTime: new Date(now.getTime() - 86_400_000),
      AvailabilityZone: 'us-east-1a',
    });
    expect(day.SpotPriceHistory).toHaveLength(5);
    expect(new Set(day.SpotPriceHistory?.map((each) => each.SpotPrice)).size).toBeGreaterThan(1);
  });
});

describe('network and images', () => {
  it('has a default VPC with a subnet in every zone', async () => {
    const t = testEc2();
    expect(
      await t.call('DescribeVpcs', { Filters: [{ Name: 'is-default', Values: ['true'] }] }),
    ).toMatchObject({
      Vpcs: [{ VpcId: DEFAULT_VPC_ID }],
    });
    const subnets = { Filters: [{ Name: 'vpc-id', Values: [DEFAULT_VPC_ID] }] };
    expect(await t.call('DescribeSubnets', subnets)).toMatchObject({
      Subnets: zones.map((zone) => ({ SubnetId: zone.subnetId, AvailableIpAddressCount: 4091 })),
    });
    expect(await t.call('DescribeAvailabilityZones', {})).toMatchObject({
      AvailabilityZones: [{ ZoneName: 'us-east-1a' }, { ZoneName: 'us-east-1b' }, { ZoneName: 'us-east-1c' }],
    });
    await expect(t.call('DescribeSubnets', { SubnetIds: ['subnet-1'] })).rejects.toMatchObject({
      code: 'InvalidSubnetID.NotFound',
    });
  });

  it('has an image for each architecture', async () => {
    const t = testEc2();
    const input = {
      Owners: ['amazon'],
      Filters: [{ Name: 'name', Values: ['al2023-ami-ecs-hvm-*-x86_64'] }],
    };
    expect(await t.call('DescribeImages', input)).toMatchObject({ Images: [{ ImageId: X86_IMAGE }] });
    await expect(t.call('DescribeImages', { ImageIds: ['ami-1'] })).rejects.toMatchObject({
      code: 'InvalidAMIID.NotFound',
    });
  });
});

describe('launch templates', () => {
  it('have versions that build on each other', async () => {
    const t = testEc2();
    const id = await t.template({ InstanceType: 'c6i.large' });
    await t.call('CreateLaunchTemplateVersion', {
      LaunchTemplateId: id,
      SourceVersion: '1',
      LaunchTemplateData: { UserData: Buffer.from('ECS_CLUSTER=c').toString('base64') },
    });
    const versions = (Versions: string[]) =>
      t.call<DescribeLaunchTemplateVersionsCommandOutput>('DescribeLaunchTemplateVersions', {
        LaunchTemplateName: 'pool',
        Versions,
      });
    expect((await versions(['$Latest'])).LaunchTemplateVersions).toMatchObject([
      { VersionNumber: 2, DefaultVersion: false, LaunchTemplateData: { InstanceType: 'c6i.large' } },
    ]);
    await t.call('ModifyLaunchTemplate', { LaunchTemplateId: id, DefaultVersion: '2' });
    expect((await versions(['$Default'])).LaunchTemplateVersions).toMatchObject([{ VersionNumber: 2 }]);
    await expect(versions(['9'])).rejects.toMatchObject({ code: 'InvalidLaunchTemplateId.VersionNotFound' });
    await expect(t.template()).rejects.toMatchObject({
      code: 'InvalidLaunchTemplateName.AlreadyExistsException',
    });
    await t.call('DeleteLaunchTemplate', { LaunchTemplateName: 'pool' });
    expect(await t.call('DescribeLaunchTemplates', {})).toMatchObject({ LaunchTemplates: [] });
  });
});

describe('security groups', () => {
  const port = (FromPort: number, CidrIp = '10.0.0.0/8') => ({
    IpProtocol: 'tcp',
    FromPort,
    ToPort: FromPort,
    IpRanges: [{ CidrIp }],
  });

  it('take 60 rules each way, no duplicates, and give them back', async () => {
    const t = testEc2();
    const { GroupId } = await t.call<{ GroupId: string }>('CreateSecurityGroup', {
      GroupName: 'hosts',
      Description: 'hosts',
    });
    const authorize = (...IpPermissions: object[]) =>
      t.call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions });
    await authorize(...Array.from({ length: 59 }, (_, index) => port(1000 + index)));
    await expect(authorize(port(1000))).rejects.toMatchObject({ code: 'InvalidPermission.Duplicate' });
    await expect(authorize(port(2000), port(2001))).rejects.toMatchObject({
      code: 'RulesPerSecurityGroupLimitExceeded',
    });
    await authorize(port(2000));
    const rules = () =>
      t.call<DescribeSecurityGroupRulesCommandOutput>('DescribeSecurityGroupRules', {
        Filters: [{ Name: 'group-id', Values: [GroupId] }],
      });
    expect((await rules()).SecurityGroupRules?.filter((rule) => rule.IsEgress !== true)).toHaveLength(60);
    await t.call('RevokeSecurityGroupIngress', { GroupId, IpPermissions: [port(2000)] });
    await expect(
      t.call('RevokeSecurityGroupIngress', { GroupId, IpPermissions: [port(2000)] }),
    ).rejects.toMatchObject({ code: 'InvalidPermission.NotFound' });
    const [egress] = (await rules()).SecurityGroupRules?.filter((rule) => rule.IsEgress) ?? [];
    await t.call('RevokeSecurityGroupEgress', {
      GroupId,
      SecurityGroupRuleIds: [egress?.SecurityGroupRuleId],
    });
    expect((await rules()).SecurityGroupRules).toHaveLength(59);
    await expect(authorize(port(70_000))).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await expect(authorize(port(1, '300.0.0.0/8'))).rejects.toMatchObject({ code: 'InvalidParameterValue' });
  });

  it('cannot be deleted while in use', async () => {
    const t = testEc2();
    const { GroupId } = await t.call<{ GroupId: string }>('CreateSecurityGroup', {
      GroupName: 'hosts',
      Description: 'hosts',
    });
    await t.template({ SecurityGroupIds: [GroupId] });
    const output = await t.fleet(1);
    await expect(t.call('DeleteSecurityGroup', { GroupId })).rejects.toMatchObject({
      code: 'DependencyViolation',
    });
    await t.call('TerminateInstances', { InstanceIds: output.Instances?.[0]?.InstanceIds });
    await t.context.clock.advance(1000);
    await t.call('DeleteSecurityGroup', { GroupId });
    await expect(t.call('DescribeSecurityGroups', { GroupIds: [GroupId] })).rejects.toMatchObject({
      code: 'InvalidGroup.NotFound',
    });
    await expect(t.call('DeleteSecurityGroup', { GroupId: DEFAULT_SECURITY_GROUP_ID })).rejects.toMatchObject(
      {
        code: 'CannotDelete',
      },
    );
  });
});

describe('tags', () => {
  it('are created, found by and deleted, except EC2’s own', async () => {
    const t = testEc2();
    await t.template();
    const output = await t.fleet(1);
    const [id] = output.Instances?.[0]?.InstanceIds ?? [];
    await t.call('CreateTags', {
      Resources: [id],
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    });
    expect(await t.instances({ 'tag:a': ['1'] })).toHaveLength(1);
    await t.call('DeleteTags', { Resources: [id], Tags: [{ Key: 'a', Value: 'other' }] });
    await t.call('DeleteTags', { Resources: [id], Tags: [{ Key: 'b' }] });
    const tagged = {
      Filters: [
        { Name: 'resource-id', Values: [id] },
        { Name: 'key', Values: ['a', 'b'] },
      ],
    };
    expect(await t.call('DescribeTags', tagged)).toMatchObject({
      Tags: [{ Key: 'a', Value: '1', ResourceId: id, ResourceType: 'instance' }],
    });
    await t.call('DeleteTags', { Resources: [id] });
    expect(await t.instances({ 'tag:a': ['1'] })).toEqual([]);
    expect(await t.instances({ 'tag-key': ['aws:ec2:fleet-id'] })).toHaveLength(1);
    await expect(
      t.call('CreateTags', { Resources: ['i-0123456789abcdef0'], Tags: [{ Key: 'a' }] }),
    ).rejects.toMatchObject({ code: 'InvalidInstanceID.NotFound' });
    await expect(
      t.call('CreateTags', { Resources: [id], Tags: [{ Key: 'aws:x', Value: '' }] }),
    ).rejects.toMatchObject({ code: 'InvalidParameterValue' });
  });
});
