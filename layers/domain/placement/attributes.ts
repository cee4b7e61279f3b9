import type { Host } from '../model/host.ts';
import type { HostFacts } from './query/expression.ts';

/** What ECS and Berth know of every host, so that an expression holds for a host that has yet to register, too. */
export type HostKind = Pick<
  Host,
  'instanceType' | 'zone' | 'architecture' | 'pool' | 'lifecycle' | 'attributes'
>;

/**
 * Attributes an expression or a spread can name: what the host registered, over the built-in ones that follow from its
 * type and zone. The agent of ECS registers the `ecs.` ones; until it has, they are what it is going to say.
 */
export const attributesOf = (host: HostKind): Readonly<Record<string, string>> => ({
  'ecs.instance-type': host.instanceType,
  'ecs.availability-zone': host.zone,
  'ecs.cpu-architecture': host.architecture,
  'ecs.os-type': 'linux',
  'berth.pool': host.pool,
  'berth.lifecycle': host.lifecycle,
  ...host.attributes,
});

/** `groups`: of every task on the host, placed in this pass included. */
export const factsOf = (host: Host, groups: readonly string[]): HostFacts => ({
  ec2InstanceId: host.hostId,
  attributes: attributesOf(host),
  // A silent agent is the reconciler's business: it cordons the host, and a cordoned host takes nothing.
  agentConnected: host.state !== 'BOOTING',
  runningTasksCount: groups.length,
  taskGroups: groups,
  ...(host.registeredAt === undefined ? {} : { registeredAt: host.registeredAt }),
});

/** The domain a spread counts in: `instanceId`/`host`, `zone`, or an attribute with or without its prefix. */
export function spreadDomain(host: Host, field: string): string {
  switch (field) {
    case 'instanceId':
    case 'host':
      return host.hostId;
    case 'zone':
      return host.zone;
    default:
      return attributesOf(host)[field.replace(/^attribute:/, '')] ?? '';
  }
}
