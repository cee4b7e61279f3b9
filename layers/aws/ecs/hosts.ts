import {
  type ContainerInstance,
  DeregisterContainerInstanceCommand,
  DescribeContainerInstancesCommand,
  ListContainerInstancesCommand,
  UpdateContainerInstancesStateCommand,
} from '@aws-sdk/client-ecs';
import { observeEcsHost } from '../../domain/lifecycle/ecsHost.ts';
import type { Containers, ObservedHost } from '../../ports/containers.ts';
import { classifyFailure } from '../errors.ts';
import { allPages, chunks } from '../pages.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ecs } from './ecs.ts';

const MAX_DESCRIBED = 100;

function toObserved(cluster: string, host: ContainerInstance): ObservedHost[] {
  const { containerInstanceArn, ec2InstanceId } = host;
  if (containerInstanceArn === undefined || ec2InstanceId === undefined) return [];
  const observed = observeEcsHost({
    containerInstanceArn,
    clusterArn: cluster,
    ec2InstanceId,
    version: host.version ?? 0,
    status: host.status ?? '',
    agentConnected: host.agentConnected ?? false,
    registeredAt: host.registeredAt?.getTime() ?? 0,
    attributes: (host.attributes ?? []).map(({ name = '', value }) => ({ name, value })),
    registeredResources: (host.registeredResources ?? []).map((resource) => ({
      name: resource.name ?? '',
      integerValue: resource.integerValue,
      stringSetValue: resource.stringSetValue,
    })),
  });
  return [observed];
}

/** All that are registered, draining ones included. */
export const listHosts =
  (ecs: Ecs): Containers['listHosts'] =>
  async (cluster) => {
    const arns = await allPages(async (nextToken) => {
      const input = { cluster, ...(nextToken && { nextToken }) };
      const answer = await repeatRead(ecs.sleep, () =>
        ecs.client.send(new ListContainerInstancesCommand(input)),
      );
      return { items: answer.containerInstanceArns ?? [], next: answer.nextToken };
    });
    const observed: ObservedHost[] = [];
    for (const containerInstances of chunks(arns, MAX_DESCRIBED)) {
      const answer = await repeatRead(ecs.sleep, () =>
        ecs.client.send(new DescribeContainerInstancesCommand({ cluster, containerInstances })),
      );
      observed.push(...(answer.containerInstances ?? []).flatMap((host) => toObserved(cluster, host)));
    }
    return observed;
  };

/** Repeatable. A host that is gone needs no draining and is no error. */
export const setDraining =
  (ecs: Ecs): Containers['setDraining'] =>
  async (cluster, containerInstanceArn, draining) => {
    const input = {
      cluster,
      containerInstances: [containerInstanceArn],
      status: draining ? ('DRAINING' as const) : ('ACTIVE' as const),
    };
    await repeatRead(ecs.sleep, () => ecs.client.send(new UpdateContainerInstancesStateCommand(input)));
  };

const gone = /not found|unable to find|does not exist|inactive/i;

/** Forced: ECS calls its tasks STOPPED, which ends none of them. Repeatable: one that is gone is no error. */
export const deregister =
  (ecs: Ecs): Containers['deregister'] =>
  async (cluster, containerInstanceArn) => {
    const input = { cluster, containerInstance: containerInstanceArn, force: true };
    try {
      await repeatRead(ecs.sleep, () => ecs.client.send(new DeregisterContainerInstanceCommand(input)));
    } catch (error) {
      const { kind, detail } = classifyFailure(error);
      if (kind !== 'rejected' || !gone.test(detail)) throw error;
    }
  };
