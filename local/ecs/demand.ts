import type { ContainerDefinition, ContainerOverride } from '@aws-sdk/client-ecs';
import { parseCpu, parseMemory } from './definitionRules.ts';
import type { Demand, RegisteredDefinition, TaskOverrides } from './records.ts';

/** A container definition with a launch's override of it applied. */
export function overridden(
  container: ContainerDefinition,
  overrides: readonly ContainerOverride[],
): ContainerDefinition {
  const override = overrides.find((each) => each.name === container.name);
  if (override === undefined) return container;
  const environment = new Map((container.environment ?? []).map(({ name, value }) => [name, value]));
  for (const { name, value } of override.environment ?? []) environment.set(name, value);
  return {
    ...container,
    command: override.command ?? container.command,
    environment: [...environment].map(([name, value]) => ({ name, value })),
    cpu: override.cpu ?? container.cpu,
    memory: override.memory ?? container.memory,
    memoryReservation: override.memoryReservation ?? container.memoryReservation,
    resourceRequirements: override.resourceRequirements ?? container.resourceRequirements,
  };
}

/**
 * What the task takes of a host: its task-level CPU and memory when it has them, else the sum over its containers of CPU
 * and of the reservation or, without one, the hard limit.
 */
export function demandOf(definition: RegisteredDefinition, overrides: TaskOverrides): Demand {
  const containers = (definition.containerDefinitions ?? []).map((container) =>
    overridden(container, overrides.containerOverrides),
  );
  const cpu = overrides.cpu ?? definition.cpu;
  const memory = overrides.memory ?? definition.memory;
  const sum = (amount: (container: ContainerDefinition) => number): number =>
    containers.reduce((total, container) => total + amount(container), 0);
  return {
    cpu: (cpu === undefined ? undefined : parseCpu(cpu)) ?? sum((each) => each.cpu ?? 0),
    memory:
      (memory === undefined ? undefined : parseMemory(memory)) ??
      sum((each) => each.memoryReservation ?? each.memory ?? 0),
    gpus: sum(gpusOf),
    ports: containers.flatMap((container) => fixedPorts(container, definition.networkMode)),
  };
}

const gpusOf = (container: ContainerDefinition): number =>
  (container.resourceRequirements ?? []).reduce(
    (total, { type, value }) => total + (type === 'GPU' ? Number(value) : 0),
    0,
  );

/** Host ports that the definition names, as `8080/tcp`; ephemeral ones are chosen on the host and claimed by nobody. */
function fixedPorts(container: ContainerDefinition, networkMode: string | undefined): string[] {
  if (networkMode === 'none' || networkMode === 'awsvpc') return [];
  const ports: string[] = [];
  for (const { containerPort, hostPort, protocol } of container.portMappings ?? []) {
    const port = networkMode === 'host' ? containerPort : hostPort;
    if (port !== undefined && port !== 0) ports.push(`${port}/${protocol ?? 'tcp'}`);
  }
  return ports;
}
