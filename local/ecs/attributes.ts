import type {
  Attribute,
  DeleteAttributesCommandInput,
  DeleteAttributesCommandOutput,
  ListAttributesCommandInput,
  ListAttributesCommandOutput,
  PutAttributesCommandInput,
  PutAttributesCommandOutput,
} from '@aws-sdk/client-ecs';
import { ServiceError } from '../engine/service.ts';
import { type Arns, lastPart } from './arn.ts';
import { invalidParameter } from './errors.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import { offsetPage } from './offsetPage.ts';
import type { EcsStore } from './store.ts';

type Output<T> = Omit<T, '$metadata'>;

/** ECS quotas: of one request, and custom attributes of one resource. */
const MAX_AT_ONCE = 10;
const MAX_CUSTOM = 100;
const NAME = /^[A-Za-z0-9_\-./\\]{1,128}$/;
const VALUE = /^[A-Za-z0-9_\-./\\@: ]{0,128}$/;
const isBuiltIn = (name: string): boolean => /^(ecs|com\.amazonaws)\./.test(name);

/** Custom attributes of container instances; the built-in ones are the agent's to set. */
export class Attributes {
  private readonly store: EcsStore;
  private readonly arns: Arns;
  private readonly hosts: Hosts;

  constructor(store: EcsStore, arns: Arns, hosts: Hosts) {
    this.store = store;
    this.arns = arns;
    this.hosts = hosts;
  }

  put(input: PutAttributesCommandInput): Output<PutAttributesCommandOutput> {
    for (const { host, attributes } of this.targets(input).values()) {
      const merged = { ...host.attributes };
      for (const { name, value } of attributes) {
        if (!VALUE.test(value ?? '')) throw invalidParameter(`Invalid attribute value '${value ?? ''}'.`);
        merged[name ?? ''] = value ?? '';
      }
      if (Object.keys(merged).filter((name) => !isBuiltIn(name)).length > MAX_CUSTOM) {
        throw new ServiceError(
          'AttributeLimitExceededException',
          `A resource has at most ${MAX_CUSTOM} custom attributes.`,
        );
      }
      this.hosts.change(host, { attributes: merged });
    }
    return { attributes: input.attributes };
  }

  delete(input: DeleteAttributesCommandInput): Output<DeleteAttributesCommandOutput> {
    for (const { host, attributes } of this.targets(input).values()) {
      const gone = new Set(attributes.map(({ name }) => name));
      const left = Object.entries(host.attributes).filter(([name]) => !gone.has(name));
      this.hosts.change(host, { attributes: Object.fromEntries(left) });
    }
    return { attributes: input.attributes };
  }

  list(input: ListAttributesCommandInput): Output<ListAttributesCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    if (input.targetType !== 'container-instance') throw invalidParameter('Invalid targetType.');
    const found: Attribute[] = [];
    for (const host of this.store.index(cluster.name).hosts.values()) {
      if (host.record.status === 'INACTIVE') continue;
      const targetId = this.arns.containerInstance(cluster.name, host.record.id);
      for (const [name, value] of Object.entries(host.attributes)) {
        if (input.attributeName !== undefined && input.attributeName !== name) continue;
        if (input.attributeValue !== undefined && input.attributeValue !== value) continue;
        found.push({ name, ...(value === '' ? {} : { value }), targetId });
      }
    }
    const page = offsetPage(found, input);
    return { attributes: page.items, nextToken: page.nextToken };
  }

  private targets(
    input: PutAttributesCommandInput | DeleteAttributesCommandInput,
  ): Map<string, { readonly host: Host; readonly attributes: Attribute[] }> {
    const cluster = this.store.activeCluster(input.cluster);
    const attributes = input.attributes ?? [];
    if (attributes.length === 0) throw invalidParameter('Attributes cannot be empty.');
    if (attributes.length > MAX_AT_ONCE)
      throw invalidParameter(`attributes has at most ${MAX_AT_ONCE} members.`);
    const targets = new Map<string, { host: Host; attributes: Attribute[] }>();
    for (const attribute of attributes) {
      const { name, targetId } = attribute;
      if (name === undefined || !NAME.test(name))
        throw invalidParameter(`Invalid attribute name '${name ?? ''}'.`);
      if (isBuiltIn(name)) throw invalidParameter(`Attribute '${name}' is reserved.`);
      const host = this.store.host(cluster.name, targetId ?? '');
      if (host === undefined || host.record.status === 'INACTIVE') {
        throw new ServiceError('TargetNotFoundException', 'The specified target was not found.');
      }
      const id = lastPart(targetId ?? '');
      const target = targets.get(id) ?? { host, attributes: [] };
      target.attributes.push(attribute);
      targets.set(id, target);
    }
    return targets;
  }
}
