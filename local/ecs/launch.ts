import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { ContainerSpec, TaskLaunch } from '../hosts/backend.ts';
import { parseCpu, parseMemory } from './definitionRules.ts';
import { overridden } from './demand.ts';
import type { TaskDefinitionRecord, TaskRecord } from './records.ts';

/** ECS's default grace between SIGTERM and SIGKILL. */
const STOP_TIMEOUT_SECONDS = 30;

/** What the host's agent is told to run. The labels are the ones the real agent sets. */
export function launchOf(task: TaskRecord, taskArn: string, record: TaskDefinitionRecord): TaskLaunch {
  const { definition } = record;
  const cpu = task.overrides.cpu ?? definition.cpu;
  const memory = task.overrides.memory ?? definition.memory;
  const cpuUnits = cpu === undefined ? undefined : parseCpu(cpu);
  const memoryMiB = memory === undefined ? undefined : parseMemory(memory);
  const networkMode = definition.networkMode;
  return {
    taskArn,
    ecsTaskId: task.id,
    clusterName: task.cluster,
    family: record.family,
    revision: record.revision,
    networkMode: networkMode === 'host' || networkMode === 'none' ? networkMode : 'bridge',
    ...(cpuUnits === undefined ? {} : { cpuUnits }),
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    containers: (definition.containerDefinitions ?? []).map((container) =>
      containerSpec(overridden(container, task.overrides.containerOverrides), task, taskArn, record),
    ),
  };
}

function containerSpec(
  container: ContainerDefinition,
  task: TaskRecord,
  taskArn: string,
  record: TaskDefinitionRecord,
): ContainerSpec {
  const environment = (container.environment ?? []).map(({ name, value }) => [name ?? '', value ?? '']);
  const name = container.name ?? '';
  return {
    name,
    image: container.image ?? '',
    ...(container.entryPoint === undefined ? {} : { entryPoint: container.entryPoint }),
    ...(container.command === undefined ? {} : { command: container.command }),
    environment: Object.fromEntries(environment),
    ...(container.workingDirectory === undefined ? {} : { workingDirectory: container.workingDirectory }),
    ...(container.user === undefined ? {} : { user: container.user }),
    cpuUnits: container.cpu ?? 0,
    ...(container.memory === undefined ? {} : { memoryMiB: container.memory }),
    ...(container.memoryReservation === undefined
      ? {}
      : { memoryReservationMiB: container.memoryReservation }),
    essential: container.essential ?? true,
    readonlyRootFilesystem: container.readonlyRootFilesystem ?? false,
    privileged: container.privileged ?? false,
    portMappings: portMappings(container, record.definition.networkMode),
    dependsOn: (container.dependsOn ?? []).map(({ containerName, condition }) => ({
      containerName: containerName ?? '',
      condition: condition ?? 'START',
    })),
    stopTimeoutSeconds: container.stopTimeout ?? STOP_TIMEOUT_SECONDS,
    labels: {
      ...container.dockerLabels,
      'com.amazonaws.ecs.cluster': task.cluster,
      'com.amazonaws.ecs.container-name': name,
      'com.amazonaws.ecs.task-arn': taskArn,
      'com.amazonaws.ecs.task-definition-family': record.family,
      'com.amazonaws.ecs.task-definition-version': String(record.revision),
    },
  };
}

function portMappings(
  container: ContainerDefinition,
  networkMode: string | undefined,
): ContainerSpec['portMappings'] {
  if (networkMode === 'none') return [];
  return (container.portMappings ?? []).map(({ containerPort, hostPort, protocol }) => ({
    containerPort: containerPort ?? 0,
    hostPort: networkMode === 'host' ? (containerPort ?? 0) : (hostPort ?? 0),
    protocol: protocol ?? 'tcp',
  }));
}
