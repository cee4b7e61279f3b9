import type { Attribute, ContainerInstance, Resource } from '@aws-sdk/client-ecs';
import type { Arns } from './arn.ts';
import { tagList } from './describeTask.ts';
import type { Host } from './host.ts';
import type { Demand, Tags } from './records.ts';

export const attributeList = (attributes: Tags): Attribute[] =>
  Object.entries(attributes).map(([name, value]) => (value === '' ? { name } : { name, value }));

/** ECS's own form: numbers are integers, ports are string sets by protocol. */
function resourceList(resources: Demand): Resource[] {
  const portsOf = (protocol: 'tcp' | 'udp'): string[] =>
    resources.ports.filter((port) => port.endsWith(`/${protocol}`)).map((port) => port.slice(0, -4));
  const integer = (name: string, integerValue: number): Resource => ({
    name,
    type: 'INTEGER',
    doubleValue: 0,
    longValue: 0,
    integerValue,
  });
  const set = (name: string, stringSetValue: string[]): Resource => ({
    name,
    type: 'STRINGSET',
    doubleValue: 0,
    longValue: 0,
    integerValue: 0,
    stringSetValue,
  });
  return [
    integer('CPU', resources.cpu),
    integer('MEMORY', resources.memory),
    set('PORTS', portsOf('tcp')),
    set('PORTS_UDP', portsOf('udp')),
    ...(resources.gpus > 0 ? [set('GPU', gpuIds(resources.gpus))] : []),
  ];
}

const gpuIds = (count: number): string[] => Array.from({ length: count }, (_, index) => `GPU-${index}`);

/** The container instance as Describe and events show it; without tags unless asked. */
export function describeHost(arns: Arns, host: Host, includeTags = false): ContainerInstance {
  const { record } = host;
  return {
    containerInstanceArn: arns.containerInstance(record.cluster, record.id),
    ec2InstanceId: record.ec2InstanceId,
    version: record.version,
    versionInfo: { agentVersion: record.agentVersion, dockerVersion: record.dockerVersion },
    remainingResources: resourceList(host.remaining),
    registeredResources: resourceList(record.registered),
    status: record.status,
    agentConnected: record.agentConnected,
    runningTasksCount: host.runningTasksCount,
    pendingTasksCount: host.pendingTasksCount,
    attributes: attributeList(record.attributes),
    registeredAt: new Date(record.registeredAt),
    attachments: [],
    tags: includeTags ? tagList(record.tags) : [],
  };
}
