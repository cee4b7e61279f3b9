import type { Container, Task } from '@aws-sdk/client-ecs';
import type { Arns } from './arn.ts';
import type { ContainerRecord, Tags, TaskRecord } from './records.ts';

export const tagList = (tags: Tags): { key: string; value: string }[] =>
  Object.entries(tags).map(([key, value]) => ({ key, value }));

const at = (timeMs: number | undefined): Date | undefined =>
  timeMs === undefined ? undefined : new Date(timeMs);

/** The task as RunTask, DescribeTasks and events show it; without tags, which are asked for apart. */
export function describeTask(arns: Arns, task: TaskRecord): Task {
  const attributes = [{ name: 'ecs.cpu-architecture', value: task.architecture }];
  return {
    attachments: [],
    attributes,
    availabilityZone: task.zone,
    clusterArn: arns.cluster(task.cluster),
    connectivity: task.connectivityAt === undefined ? undefined : 'CONNECTED',
    connectivityAt: at(task.connectivityAt),
    containerInstanceArn: arns.containerInstance(task.cluster, task.hostId),
    containers: task.containers.map((container) => describeContainer(arns, task, container)),
    cpu: String(task.demand.cpu),
    createdAt: at(task.createdAt),
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: false,
    executionStoppedAt: at(task.executionStoppedAt),
    group: task.group,
    healthStatus: 'UNKNOWN',
    lastStatus: task.lastStatus,
    launchType: 'EC2',
    memory: String(task.demand.memory),
    overrides: {
      ...(task.overrides.cpu === undefined ? {} : { cpu: task.overrides.cpu }),
      ...(task.overrides.memory === undefined ? {} : { memory: task.overrides.memory }),
      containerOverrides: [...task.overrides.containerOverrides],
      inferenceAcceleratorOverrides: [],
    },
    pullStartedAt: at(task.pullStartedAt),
    pullStoppedAt: at(task.pullStoppedAt),
    startedAt: at(task.startedAt),
    startedBy: task.startedBy,
    stopCode: task.stopCode,
    stoppedAt: at(task.stoppedAt),
    stoppedReason: task.stoppedReason,
    stoppingAt: at(task.stoppingAt),
    tags: [],
    taskArn: arns.task(task.cluster, task.id),
    taskDefinitionArn: task.taskDefinitionArn,
    version: task.version,
  };
}

function describeContainer(arns: Arns, task: TaskRecord, container: ContainerRecord): Container {
  return {
    containerArn: arns.container(task.cluster, task.id, container.id),
    taskArn: arns.task(task.cluster, task.id),
    name: container.name,
    image: container.image,
    imageDigest: container.imageDigest,
    runtimeId: container.runtimeId,
    lastStatus: container.lastStatus,
    exitCode: container.exitCode,
    reason: container.reason,
    ...(container.lastStatus === 'PENDING'
      ? {}
      : { networkBindings: (container.networkBindings ?? []).map((binding) => ({ ...binding })) }),
    networkInterfaces: [],
    healthStatus: 'UNKNOWN',
    cpu: String(container.cpu),
    memory: container.memory === undefined ? undefined : String(container.memory),
    memoryReservation:
      container.memoryReservation === undefined ? undefined : String(container.memoryReservation),
  };
}
