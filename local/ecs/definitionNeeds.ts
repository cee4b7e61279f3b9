import type { RegisteredDefinition, Tags } from './records.ts';

/**
 * What a host must be able to do to run the definition, in the agent's own attribute names; an empty value asks for
 * presence. Hosts here lack `ecs.capability.task-eni`, so an awsvpc task fails with ATTRIBUTE as on a host without ENIs.
 */
export function requiredAttributes(definition: RegisteredDefinition): Tags {
  const needs: Record<string, string> = {};
  const containers = definition.containerDefinitions ?? [];
  if (definition.cpu !== undefined || definition.memory !== undefined) {
    needs['ecs.capability.task-cpu-mem-limit'] = '';
  }
  if (definition.networkMode === 'awsvpc') needs['ecs.capability.task-eni'] = '';
  if (containers.some((container) => container.privileged === true)) {
    needs['com.amazonaws.ecs.capability.privileged-container'] = '';
  }
  if (containers.some((container) => (container.dependsOn ?? []).length > 0)) {
    needs['ecs.capability.container-ordering'] = '';
  }
  for (const { logConfiguration } of containers) {
    const driver = logConfiguration?.logDriver;
    if (driver !== undefined) needs[`com.amazonaws.ecs.capability.logging-driver.${driver}`] = '';
  }
  const architecture = definition.runtimePlatform?.cpuArchitecture;
  if (architecture !== undefined) needs['ecs.cpu-architecture'] = architecture.toLowerCase();
  const system = definition.runtimePlatform?.operatingSystemFamily;
  if (system !== undefined) needs['ecs.os-type'] = system === 'LINUX' ? 'linux' : 'windows';
  return needs;
}

/** What the agent of every embedded host says that it can do. */
export const agentCapabilities: Tags = {
  'com.amazonaws.ecs.capability.docker-remote-api.1.18': '',
  'com.amazonaws.ecs.capability.logging-driver.awslogs': '',
  'com.amazonaws.ecs.capability.logging-driver.json-file': '',
  'com.amazonaws.ecs.capability.logging-driver.none': '',
  'com.amazonaws.ecs.capability.privileged-container': '',
  'ecs.capability.container-ordering': '',
  'ecs.capability.task-cpu-mem-limit': '',
};
