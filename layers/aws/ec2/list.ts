import { DescribeInstancesCommand, type Instance } from '@aws-sdk/client-ec2';
import type { Machines, ObservedMachine } from '../../ports/machines.ts';
import { allPages } from '../pages.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ec2 } from './ec2.ts';
import { TAGS } from './tags.ts';

const PAGE = 1_000;

const states: readonly ObservedMachine['state'][] = [
  'pending',
  'running',
  'shutting-down',
  'stopping',
  'stopped',
  'terminated',
];

function toMachine(instance: Instance): ObservedMachine[] {
  const { InstanceId: hostId, InstanceType: instanceType, LaunchTime, Placement } = instance;
  const state = states.find((known) => known === instance.State?.Name);
  if (hostId === undefined || instanceType === undefined || state === undefined) return [];
  const tags = new Map((instance.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  const pool = tags.get(TAGS.pool);
  const orderId = tags.get(TAGS.order);
  return [
    {
      hostId,
      state,
      instanceType,
      zone: Placement?.AvailabilityZone ?? '',
      lifecycle: instance.InstanceLifecycle === 'spot' ? 'spot' : 'on-demand',
      launchedAt: LaunchTime?.getTime() ?? 0,
      ...(pool !== undefined && { pool }),
      ...(orderId !== undefined && { orderId }),
    },
  ];
}

export const list =
  (ec2: Ec2): Machines['list'] =>
  (cluster) =>
    allPages(async (token) => {
      const input = {
        Filters: [{ Name: `tag:${TAGS.cluster}`, Values: [cluster] }],
        MaxResults: PAGE,
        ...(token && { NextToken: token }),
      };
      const answer = await repeatRead(ec2.sleep, () => ec2.client.send(new DescribeInstancesCommand(input)));
      const instances = (answer.Reservations ?? []).flatMap(({ Instances = [] }) => Instances);
      return { items: instances.flatMap(toMachine), next: answer.NextToken };
    });
