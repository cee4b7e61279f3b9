import { instanceTypes } from '../ec2/instanceTypes.ts';
import { DEFAULT_VPC_ID } from '../ec2/network.ts';
import type { InstanceRecord } from '../ec2/records.ts';
import { agentCapabilities } from '../ecs/definitionNeeds.ts';
import type { Registration } from '../ecs/hosts.ts';
import { parseAgentConfig } from './agentConfig.ts';

/** SSH, Docker's API and the agent's own: what the agent keeps from tasks. */
const RESERVED_PORTS = [22, 2375, 2376, 51678, 51679];

/** Of every instance, and of each MiB. Fitted to what AL2023 hosts show as MemTotal: 928 of 1024, 3893 of 4096, 15751 of 16384. */
const KERNEL_MIB = 60;
const KERNEL_SHARE = 0.035;

/**
 * The memory that a host's agent registers, in MiB: what the kernel leaves of the instance's, less `ECS_RESERVED_MEMORY`.
 */
export function registeredMemoryMiB(instanceMemoryMiB: number, reservedMemoryMiB: number): number {
  const total = Math.floor(instanceMemoryMiB * (1 - KERNEL_SHARE) - KERNEL_MIB);
  return Math.max(0, total - reservedMemoryMiB);
}

/** What the agent of an instance tells ECS when it registers. */
export function registrationOf(instance: InstanceRecord): Registration {
  const config = parseAgentConfig(instance.userData);
  const type = instanceTypes.get(instance.instanceType);
  const ports = [...new Set([...RESERVED_PORTS, ...config.reservedPorts])];
  return {
    cluster: config.cluster,
    ec2InstanceId: instance.instanceId,
    agentVersion: '1.90.0',
    dockerVersion: 'DockerVersion: 25.0.8',
    registered: {
      cpu: (type?.vcpus ?? 0) * 1024,
      memory: registeredMemoryMiB(type?.memoryMiB ?? 0, config.reservedMemoryMiB),
      gpus: type?.gpus ?? 0,
      ports: ports.map((port) => `${port}/tcp`),
    },
    attributes: {
      ...agentCapabilities,
      'ecs.ami-id': instance.imageId,
      'ecs.availability-zone': instance.zone,
      'ecs.cpu-architecture': type?.architecture ?? 'x86_64',
      'ecs.instance-type': instance.instanceType,
      'ecs.os-type': 'linux',
      'ecs.subnet-id': instance.subnetId,
      'ecs.vpc-id': DEFAULT_VPC_ID,
      ...config.attributes,
    },
    tags: config.tags,
  };
}
