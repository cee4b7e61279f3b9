import { cannotAttribute, SILENT_ATTRIBUTE } from '../isolation/capability.ts';
import type { Host } from '../model/host.ts';
import type { HostFacts } from './query/expression.ts';

/** What ECS and Berth know of every host, so that an expression holds for a host that has yet to register, too. */
export type HostKind = Pick<
  Host,
  | 'instanceType'
  | 'zone'
  | 'architecture'
  | 'pool'
  | 'lifecycle'
  | 'attributes'
  | 'registeredAt'
  | 'agentSeenAt'
  | 'cannot'
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
  ...agentAttributes(host),
  ...host.attributes,
});

/** A host that is yet to register is taken to be able to do all that its pool's hosts are not known to lack. */
export function agentAttributes({
  registeredAt,
  agentSeenAt,
  cannot,
}: Pick<Host, 'registeredAt' | 'agentSeenAt' | 'cannot'>): Record<string, string> {
  if (agentSeenAt === undefined) return registeredAt === undefined ? {} : { [SILENT_ATTRIBUTE]: 'yes' };
  return Object.fromEntries((cannot ?? []).map((name) => [cannotAttribute(name), 'yes']));
}

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
