import type { Instance, InstanceState, _InstanceType as InstanceTypeName } from '@aws-sdk/client-ec2';
import type { Fields } from './filters.ts';
import { tagFields } from './filters.ts';
import { instanceTypes } from './instanceTypes.ts';
import { DEFAULT_VPC_ID, zoneNamed } from './network.ts';
import type { InstanceRecord, InstanceStateName } from './records.ts';
import { tagList } from './tags.ts';

const codes: Readonly<Record<InstanceStateName, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
};

export const stateOf = (name: InstanceStateName): InstanceState => ({ Code: codes[name], Name: name });

export function describeInstance(record: InstanceRecord, accountId: string): Instance {
  const isOver = record.state === 'terminated';
  const type = instanceTypes.get(record.instanceType);
  return {
    AmiLaunchIndex: record.launchIndex,
    Architecture: type?.architecture ?? 'x86_64',
    ...(record.clientToken === undefined ? {} : { ClientToken: record.clientToken }),
    EbsOptimized: true,
    EnaSupport: true,
    Hypervisor: 'xen',
    ...(record.instanceProfile === undefined
      ? {}
      : { IamInstanceProfile: { Arn: profileArn(record.instanceProfile, accountId) } }),
    ImageId: record.imageId,
    InstanceId: record.instanceId,
    ...(record.lifecycle === 'spot' ? { InstanceLifecycle: 'spot' as const } : {}),
    InstanceType: record.instanceType as InstanceTypeName,
    ...(record.keyName === undefined ? {} : { KeyName: record.keyName }),
    LaunchTime: new Date(record.launchedAt),
    MetadataOptions: {
      State: 'applied',
      HttpTokens: record.metadataOptions?.HttpTokens ?? 'required',
      HttpPutResponseHopLimit: record.metadataOptions?.HttpPutResponseHopLimit ?? 2,
      HttpEndpoint: record.metadataOptions?.HttpEndpoint ?? 'enabled',
    },
    Monitoring: { State: 'disabled' },
    Placement: {
      AvailabilityZone: record.zone,
      ...availabilityZoneId(record.zone),
      Tenancy: 'default',
      GroupName: '',
    },
    PlatformDetails: 'Linux/UNIX',
    RootDeviceName: '/dev/xvda',
    RootDeviceType: 'ebs',
    SecurityGroups: isOver ? [] : record.securityGroupIds.map((GroupId) => ({ GroupId })),
    ...(record.spotRequestId === undefined ? {} : { SpotInstanceRequestId: record.spotRequestId }),
    State: stateOf(record.state),
    ...(record.stateReason === undefined
      ? {}
      : { StateReason: { Code: record.stateReason.code, Message: record.stateReason.message } }),
    StateTransitionReason: record.transitionReason ?? '',
    Tags: tagList(record.tags),
    VirtualizationType: 'hvm',
    // A terminated instance has no network any more.
    ...(isOver
      ? {}
      : {
          PrivateDnsName: `ip-${record.privateIp.replaceAll('.', '-')}.ec2.internal`,
          PrivateIpAddress: record.privateIp,
          SubnetId: record.subnetId,
          VpcId: DEFAULT_VPC_ID,
        }),
  };
}

/** Templates name a profile by ARN or by name. */
const profileArn = (profile: string, accountId: string): string =>
  profile.startsWith('arn:') ? profile : `arn:aws:iam::${accountId}:instance-profile/${profile}`;

function availabilityZoneId(name: string): { AvailabilityZoneId?: string } {
  const zone = zoneNamed(name);
  return zone === undefined ? {} : { AvailabilityZoneId: zone.zoneId };
}

/** What DescribeInstances filters by; the names are the filter's. */
export const instanceFields = (record: InstanceRecord): Fields => ({
  architecture: [instanceTypes.get(record.instanceType)?.architecture ?? 'x86_64'],
  'availability-zone': [record.zone],
  'client-token': record.clientToken === undefined ? [] : [record.clientToken],
  'image-id': [record.imageId],
  'instance-id': [record.instanceId],
  'instance-lifecycle': record.lifecycle === 'spot' ? ['spot'] : [],
  'instance-state-code': [String(codes[record.state])],
  'instance-state-name': [record.state],
  'instance-type': [record.instanceType],
  'instance.group-id': record.securityGroupIds,
  'private-ip-address': [record.privateIp],
  'reservation-id': [record.reservationId],
  'spot-instance-request-id': record.spotRequestId === undefined ? [] : [record.spotRequestId],
  'subnet-id': [record.subnetId],
  'vpc-id': [DEFAULT_VPC_ID],
  ...tagFields(record.tags),
});

export const instanceFilters: readonly string[] = [
  'architecture',
  'availability-zone',
  'client-token',
  'image-id',
  'instance-id',
  'instance-lifecycle',
  'instance-state-code',
  'instance-state-name',
  'instance-type',
  'instance.group-id',
  'private-ip-address',
  'reservation-id',
  'spot-instance-request-id',
  'subnet-id',
  'tag-key',
  'vpc-id',
];
