import type { Host } from '../model/host.ts';
import type { Resources } from '../model/resources.ts';
import { lastPart } from './ecsTask.ts';

/** A container instance as ECS words it; times in epoch ms. */
export interface EcsHostFacts {
  readonly containerInstanceArn: string;
  /** ECS's answers leave it out; its ARN's path holds it: `container-instance/<cluster>/<id>`. */
  readonly clusterArn?: string | undefined;
  readonly ec2InstanceId: string;
  readonly version: number;
  readonly status: string;
  readonly agentConnected: boolean;
  readonly registeredAt: number;
  readonly attributes: readonly { readonly name: string; readonly value?: string | undefined }[];
  readonly registeredResources: readonly {
    readonly name: string;
    readonly integerValue?: number | undefined;
    readonly stringSetValue?: readonly string[] | undefined;
  }[];
}

/** What Berth makes of a container instance. */
export interface EcsHostObservation {
  readonly cluster: string;
  readonly containerInstanceArn: string;
  readonly hostId: string;
  readonly version: number;
  /** `ACTIVE`, `DRAINING`, `REGISTERING`, `INACTIVE`, ... */
  readonly status: string;
  readonly agentConnected: boolean;
  /** Registered, after the agent's own reservations. */
  readonly capacity: Resources;
  readonly attributes: Readonly<Record<string, string>>;
  readonly registeredAt: number;
}

/** ECS registers CPU units, MiB and the ids of GPUs; ports are not capacity but names. */
function capacityOf(resources: EcsHostFacts['registeredResources']): Resources {
  const capacity: Record<string, number> = {};
  for (const { name, integerValue, stringSetValue } of resources) {
    if (name === 'CPU') capacity.cpu = integerValue ?? 0;
    if (name === 'MEMORY') capacity.memory = integerValue ?? 0;
    if (name === 'GPU' && stringSetValue && stringSetValue.length > 0)
      capacity.gpu = 1000 * stringSetValue.length;
  }
  return capacity;
}

/**
 * Whether ECS tells of another registration of the instance, later than the one on record: its agent has lost its data. An
 * agent that only restarts is known to ECS by what it has kept, under the same ARN.
 */
export const isRegisteredAnew = (
  known: Pick<Host, 'containerInstanceArn' | 'registeredAt'>,
  seen: Pick<EcsHostObservation, 'containerInstanceArn' | 'registeredAt'>,
): boolean =>
  known.containerInstanceArn !== undefined &&
  known.containerInstanceArn !== seen.containerInstanceArn &&
  (known.registeredAt ?? 0) < seen.registeredAt;

/**
 * Whether processes of Berth's may run on the host of which that registration knows nothing: an agent that has lost its
 * data says nothing of containers, which run on if the data alone is lost. Where nothing is claimed, nothing runs.
 */
export const hasLostTrack = (known: Host, seen: Parameters<typeof isRegisteredAnew>[1]): boolean =>
  isRegisteredAnew(known, seen) && Object.keys(known.claims).length > 0;

export function observeEcsHost(facts: EcsHostFacts): EcsHostObservation {
  const arnParts = facts.containerInstanceArn.split('/');
  return {
    cluster: facts.clusterArn === undefined ? (arnParts.at(-2) ?? '') : lastPart(facts.clusterArn),
    containerInstanceArn: facts.containerInstanceArn,
    hostId: facts.ec2InstanceId,
    version: facts.version,
    status: facts.status,
    agentConnected: facts.agentConnected,
    capacity: capacityOf(facts.registeredResources),
    // An attribute may be a bare name: its presence is what it says.
    attributes: Object.fromEntries(facts.attributes.map(({ name, value }) => [name, value ?? ''])),
    registeredAt: facts.registeredAt,
  };
}
