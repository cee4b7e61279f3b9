import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { clientException } from './errors.ts';
import type { RegisteredDefinition } from './records.ts';

/** ECS quota: containers of one task definition. */
const MAX_CONTAINERS = 10;
const FAMILY = /^[A-Za-z0-9_-]{1,255}$/;

/** Accepted by ECS and not carried out by the embedded hosts: refused, since running without them would be a lie. */
const unsupportedOfTask = [
  'volumes',
  'proxyConfiguration',
  'inferenceAccelerators',
  'pidMode',
  'ipcMode',
] as const;
const unsupportedOfContainer = [
  'credentialSpecs',
  'disableNetworking',
  'dnsSearchDomains',
  'dnsServers',
  'dockerSecurityOptions',
  'environmentFiles',
  'extraHosts',
  'firelensConfiguration',
  'healthCheck',
  'hostname',
  'interactive',
  'linuxParameters',
  'links',
  'mountPoints',
  'pseudoTerminal',
  'repositoryCredentials',
  'restartPolicy',
  'secrets',
  'systemControls',
  'ulimits',
  'volumesFrom',
] as const;

const isSet = (value: unknown): boolean => {
  if (value === undefined || value === null || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
};

/** Throws ClientException for a task definition that ECS would refuse or that cannot be carried out here. */
export function checkDefinition(definition: RegisteredDefinition): void {
  const { family, containerDefinitions: containers } = definition;
  if (family === undefined || !FAMILY.test(family))
    throw clientException('Family contains invalid characters.');
  if (containers === undefined || containers.length === 0)
    throw clientException('Container list cannot be empty.');
  if (containers.length > MAX_CONTAINERS) {
    throw clientException(`Task definition has more than ${MAX_CONTAINERS} container definitions.`);
  }
  for (const key of unsupportedOfTask) if (isSet(definition[key])) throw notCarriedOut(key);
  checkSize('cpu', definition.cpu, parseCpu);
  checkSize('memory', definition.memory, parseMemory);
  for (const container of containers) checkContainer(container, definition);
  const names = containers.map((container) => container.name);
  if (new Set(names).size !== names.length) throw clientException('Container names must be unique.');
  if (containers.every((container) => container.essential === false)) {
    throw clientException('At least one container in your task definition must be marked as essential.');
  }
  checkTaskMemory(definition, containers);
  checkOrder(containers);
}

const notCarriedOut = (key: string): Error =>
  clientException(`'${key}' is not supported by the container hosts of the embedded AWS.`);

function checkSize(
  name: string,
  text: string | undefined,
  parse: (text: string) => number | undefined,
): void {
  if (text !== undefined && parse(text) === undefined) {
    throw clientException(`Invalid '${name}' setting for task: '${text}'.`);
  }
}

function checkContainer(container: ContainerDefinition, definition: RegisteredDefinition): void {
  const { name, image, memory, memoryReservation } = container;
  if (name === undefined || name === '') throw clientException('Container.name should not be null or empty.');
  if (!FAMILY.test(name)) throw clientException(`Invalid container name '${name}'.`);
  if (image === undefined || image === '')
    throw clientException('Container.image should not be null or empty.');
  if (memory === undefined && memoryReservation === undefined && definition.memory === undefined) {
    throw clientException(
      `Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`,
    );
  }
  if (memory !== undefined && memory < 6) {
    throw clientException(`Invalid setting for container '${name}'. 'memory' must be at least 6 MiB.`);
  }
  if (memory !== undefined && memoryReservation !== undefined && memoryReservation > memory) {
    throw clientException(
      `Invalid setting for container '${name}'. The 'memoryReservation' value is greater than the 'memory' value.`,
    );
  }
  for (const key of unsupportedOfContainer) if (isSet(container[key])) throw notCarriedOut(key);
  checkPorts(container, definition);
}

function checkPorts(container: ContainerDefinition, definition: RegisteredDefinition): void {
  for (const { containerPort, hostPort, containerPortRange } of container.portMappings ?? []) {
    if (containerPortRange !== undefined) throw notCarriedOut('containerPortRange');
    if (containerPort === undefined || containerPort < 1 || containerPort > 65_535) {
      throw clientException(`Invalid 'containerPort' setting for container '${container.name}'.`);
    }
    const sameOnHost = definition.networkMode === 'host' || definition.networkMode === 'awsvpc';
    if (sameOnHost && hostPort !== undefined && hostPort !== 0 && hostPort !== containerPort) {
      throw clientException(
        `When networkMode=${definition.networkMode}, the host ports and container ports in port mappings must match.`,
      );
    }
  }
}

function checkTaskMemory(definition: RegisteredDefinition, containers: readonly ContainerDefinition[]): void {
  const limit = definition.memory === undefined ? undefined : parseMemory(definition.memory);
  if (limit === undefined) return;
  const sum = containers.reduce((total, each) => total + (each.memoryReservation ?? each.memory ?? 0), 0);
  if (sum > limit) {
    throw clientException("Total container 'memory' is greater than the task's 'memory' setting.");
  }
}

/** `dependsOn` names other containers and has no circle; what is waited for to complete cannot be essential. */
function checkOrder(containers: readonly ContainerDefinition[]): void {
  const byName = new Map(containers.map((container) => [container.name, container]));
  const done = new Set<string | undefined>();
  const visit = (container: ContainerDefinition, path: readonly (string | undefined)[]): void => {
    if (path.includes(container.name))
      throw clientException('A cyclic dependency exists among the containers.');
    if (done.has(container.name)) return;
    for (const { containerName, condition } of container.dependsOn ?? []) {
      const other = byName.get(containerName);
      if (other === undefined) {
        throw clientException(
          `Container '${container.name}' depends on container '${containerName}', which does not exist.`,
        );
      }
      if (condition === 'HEALTHY') throw notCarriedOut('dependsOn HEALTHY');
      if ((condition === 'COMPLETE' || condition === 'SUCCESS') && other.essential !== false) {
        throw clientException(
          `A container with condition ${condition} cannot be essential: container '${containerName}'.`,
        );
      }
      visit(other, [...path, container.name]);
    }
    done.add(container.name);
  };
  for (const container of containers) visit(container, []);
}

/** CPU units of `256`, `.25 vCPU` or `1 vcpu`; undefined when it is none of these. */
export function parseCpu(text: string): number | undefined {
  const match = /^\s*(\d*\.?\d+)\s*(vcpu)?\s*$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const units = match[2] === undefined ? Number(match[1]) : Number(match[1]) * 1024;
  return Number.isInteger(units) && units > 0 ? units : undefined;
}

/** MiB of `512`, `1 GB` or `.5GB`; undefined when it is none of these. */
export function parseMemory(text: string): number | undefined {
  const match = /^\s*(\d*\.?\d+)\s*(gb)?\s*$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const mib = match[2] === undefined ? Number(match[1]) : Number(match[1]) * 1024;
  return Number.isInteger(mib) && mib > 0 ? mib : undefined;
}
