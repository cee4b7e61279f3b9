import type {
  RegisterContainerInstanceCommandInput,
  RegisterContainerInstanceCommandOutput,
  Resource,
} from '@aws-sdk/client-ecs';
import type { Arns } from './arn.ts';
import { describeHost } from './describeHost.ts';
import { clientException } from './errors.ts';
import type { Hosts } from './hosts.ts';
import type { Demand } from './records.ts';
import type { EcsStore } from './store.ts';
import { tagsOf } from './tags.ts';

/** RegisterContainerInstance as an agent calls it; the identity document's signature is not checked. */
export function registerContainerInstance(
  store: EcsStore,
  hosts: Hosts,
  arns: Arns,
  input: RegisterContainerInstanceCommandInput,
): Omit<RegisterContainerInstanceCommandOutput, '$metadata'> {
  const cluster = store.activeCluster(input.cluster);
  const host = hosts.register({
    cluster: cluster.name,
    ec2InstanceId: instanceIdOf(input.instanceIdentityDocument),
    agentVersion: input.versionInfo?.agentVersion ?? '',
    dockerVersion: input.versionInfo?.dockerVersion ?? '',
    registered: resourcesOf(input.totalResources ?? []),
    attributes: Object.fromEntries(
      (input.attributes ?? []).map(({ name, value }) => [name ?? '', value ?? '']),
    ),
    tags: tagsOf(input.tags),
  });
  return { containerInstance: describeHost(arns, host, true) };
}

function instanceIdOf(identityDocument: string | undefined): string {
  try {
    const document: unknown = JSON.parse(identityDocument ?? '');
    if (typeof document === 'object' && document !== null && 'instanceId' in document) {
      const { instanceId } = document;
      if (typeof instanceId === 'string' && /^m?i-[0-9a-f]+$/.test(instanceId)) return instanceId;
    }
  } catch {
    // Answered below: a document that is no JSON has no instance id either.
  }
  throw clientException('The instance identity document is invalid: it has no instanceId.');
}

function resourcesOf(resources: readonly Resource[]): Demand {
  const integer = (name: string): number => resources.find((each) => each.name === name)?.integerValue ?? 0;
  const set = (name: string): string[] => resources.find((each) => each.name === name)?.stringSetValue ?? [];
  return {
    cpu: integer('CPU'),
    memory: integer('MEMORY'),
    gpus: set('GPU').length,
    ports: [...set('PORTS').map((port) => `${port}/tcp`), ...set('PORTS_UDP').map((port) => `${port}/udp`)],
  };
}
