import type { ContainerCreateOptions } from 'dockerode';
import type { ContainerSpec, TaskLaunch } from './backend.ts';
import { taskCgroup } from './cgroupSlice.ts';
import { LABELS } from './labels.ts';

const MIB = 1024 * 1024;
/** The kernel's own floor of cpu.shares; the ECS agent raises 0 and 1 to it. */
const MIN_CPU_SHARES = 2;
/** Kept per container by the engine; the file that outlives the container holds as much. */
const LOG_MAX_SIZE = '10m';

export interface ContainerPlace {
  readonly instanceId: string;
  readonly owner: string;
  /** What stands for `bridge`: a network's name, or `container:<id>` for a namespace that is ready. */
  readonly bridgeNetwork: string;
}

/** The same task and container always give the same name, so that creating one twice is refused by the engine. */
export const containerName = (launch: TaskLaunch, container: string): string =>
  `ecs-${launch.family}-${launch.revision}-${container}-${launch.ecsTaskId}`;

/** What the ECS agent would ask of Docker for this container: `POST /containers/create`. */
export function containerBody(
  launch: TaskLaunch,
  spec: ContainerSpec,
  place: ContainerPlace,
): ContainerCreateOptions {
  const ports = launch.networkMode === 'bridge' ? spec.portMappings : [];
  const environment = { AWS_EXECUTION_ENV: 'AWS_ECS_EC2', ...spec.environment };
  return {
    name: containerName(launch, spec.name),
    Image: spec.image,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: {
      ...spec.labels,
      [LABELS.cluster]: launch.clusterName,
      [LABELS.taskArn]: launch.taskArn,
      [LABELS.containerName]: spec.name,
      [LABELS.family]: launch.family,
      [LABELS.revision]: String(launch.revision),
      [LABELS.instance]: place.instanceId,
      [LABELS.owner]: place.owner,
    },
    StopTimeout: spec.stopTimeoutSeconds,
    ...(spec.entryPoint === undefined ? {} : { Entrypoint: [...spec.entryPoint] }),
    ...(spec.command === undefined ? {} : { Cmd: [...spec.command] }),
    ...(spec.workingDirectory === undefined ? {} : { WorkingDir: spec.workingDirectory }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ExposedPorts: Object.fromEntries(ports.map((port) => [`${port.containerPort}/${port.protocol}`, {}])),
    HostConfig: {
      CgroupParent: taskCgroup(place.instanceId, launch.ecsTaskId),
      CpuShares: Math.max(MIN_CPU_SHARES, spec.cpuUnits),
      ...(spec.memoryMiB === undefined ? {} : { Memory: spec.memoryMiB * MIB }),
      ...(spec.memoryReservationMiB === undefined
        ? {}
        : { MemoryReservation: spec.memoryReservationMiB * MIB }),
      NetworkMode: launch.networkMode === 'bridge' ? place.bridgeNetwork : launch.networkMode,
      PortBindings: portBindings(ports),
      ReadonlyRootfs: spec.readonlyRootFilesystem,
      Privileged: spec.privileged,
      LogConfig: { Type: 'json-file', Config: { 'max-size': LOG_MAX_SIZE, 'max-file': '1' } },
      // The ECS agent decides what follows an exit, not the engine.
      RestartPolicy: { Name: 'no' },
    },
  };
}

function portBindings(ports: ContainerSpec['portMappings']): Record<string, { HostPort: string }[]> {
  const bindings: Record<string, { HostPort: string }[]> = {};
  for (const { containerPort, hostPort, protocol } of ports) {
    const key = `${containerPort}/${protocol}`;
    // An empty host port asks the engine for an ephemeral one.
    bindings[key] = [...(bindings[key] ?? []), { HostPort: hostPort === 0 ? '' : String(hostPort) }];
  }
  return bindings;
}
