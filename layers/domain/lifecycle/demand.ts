import type { Resources } from '../model/resources.ts';
import type { ContainerOverride } from '../model/task.ts';

/** The parts of a task definition that decide what a host must set aside for one task. */
export interface DefinitionDemand {
  readonly cpuUnits?: number;
  readonly memoryMiB?: number;
  readonly networkMode: string;
  readonly containers: readonly {
    readonly name: string;
    readonly cpuUnits: number;
    readonly memoryMiB: number;
    readonly gpus: number;
    readonly hostPorts: readonly string[];
  }[];
}

/**
 * What ECS reserves of a container instance for a task: the task-level size where the definition has one, else the sum
 * over its containers, launch overrides applied (a container's override of `memory` stands for its reservation too, as
 * Berth sends both).
 */
export function demandOf(definition: DefinitionDemand, overrides: readonly ContainerOverride[]): Resources {
  const byName = new Map(overrides.map((override) => [override.name, override]));
  let cpu = 0;
  let memory = 0;
  let gpus = 0;
  for (const container of definition.containers) {
    const override = byName.get(container.name);
    cpu += override?.cpu ?? container.cpuUnits;
    memory += override?.memory ?? container.memoryMiB;
    gpus += container.gpus;
  }
  return {
    cpu: definition.cpuUnits ?? cpu,
    memory: definition.memoryMiB ?? memory,
    ...(gpus > 0 && { gpu: gpus * 1000 }),
    ...(definition.networkMode === 'awsvpc' && { eni: 1 }),
  };
}

/** Names in `overrides` that the definition does not have: a request that would be refused by ECS at every launch. */
export function unknownContainers(
  definition: DefinitionDemand,
  overrides: readonly ContainerOverride[],
): readonly string[] {
  const known = new Set(definition.containers.map((container) => container.name));
  return overrides.map((override) => override.name).filter((name) => !known.has(name));
}
