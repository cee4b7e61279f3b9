import type {
  DeregisterTaskDefinitionCommandInput,
  DeregisterTaskDefinitionCommandOutput,
  DescribeTaskDefinitionCommandInput,
  DescribeTaskDefinitionCommandOutput,
  ListTaskDefinitionFamiliesCommandInput,
  ListTaskDefinitionFamiliesCommandOutput,
  ListTaskDefinitionsCommandInput,
  ListTaskDefinitionsCommandOutput,
  RegisterTaskDefinitionCommandInput,
  RegisterTaskDefinitionCommandOutput,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import type { EngineContext } from '../engine/service.ts';
import type { Arns } from './arn.ts';
import { parseArn } from './arn.ts';
import { requiredAttributes } from './definitionNeeds.ts';
import { checkDefinition } from './definitionRules.ts';
import { attributeList } from './describeHost.ts';
import { tagList } from './describeTask.ts';
import { clientException, invalidParameter } from './errors.ts';
import { offsetPage } from './offsetPage.ts';
import type { TaskDefinitionRecord } from './records.ts';
import type { EcsStore } from './store.ts';
import { tagsOf } from './tags.ts';

type Output<T> = Omit<T, '$metadata'>;

/** Registered task definitions; a revision never changes and is never reused. */
export class TaskDefinitions {
  private readonly context: EngineContext;
  private readonly store: EcsStore;
  private readonly arns: Arns;

  constructor(context: EngineContext, store: EcsStore, arns: Arns) {
    this.context = context;
    this.store = store;
    this.arns = arns;
  }

  /** `family`, `family:revision` or ARN; the latest ACTIVE revision of a bare family. */
  find(reference: string): TaskDefinitionRecord | undefined {
    const name = parseArn(reference)?.rest ?? reference;
    const pinned = /^(.+):(\d+)$/.exec(name);
    if (pinned !== null) return this.store.definitions.get(name);
    const revisions = this.store.families.get(name) ?? [];
    for (let index = revisions.length - 1; index >= 0; index--) {
      const record = this.store.definitions.get(`${name}:${revisions[index]}`);
      if (record?.status === 'ACTIVE') return record;
    }
    return undefined;
  }

  register(input: RegisterTaskDefinitionCommandInput): Output<RegisterTaskDefinitionCommandOutput> {
    const { tags, ...definition } = input;
    checkDefinition(definition);
    const family = definition.family ?? '';
    const revision = (this.store.families.get(family)?.at(-1) ?? 0) + 1;
    const record: TaskDefinitionRecord = {
      arn: this.arns.taskDefinition(family, revision),
      family,
      revision,
      status: 'ACTIVE',
      definition,
      requiresAttributes: requiredAttributes(definition),
      registeredAt: this.context.clock.now(),
      tags: tagsOf(tags),
    };
    this.store.definitions.set(`${family}:${revision}`, record);
    this.store.addRevision(family, revision);
    return { taskDefinition: describeDefinition(record), tags: tagList(record.tags) };
  }

  describe(input: DescribeTaskDefinitionCommandInput): Output<DescribeTaskDefinitionCommandOutput> {
    const record = this.find(input.taskDefinition ?? '');
    if (record === undefined) throw clientException('Unable to describe task definition.');
    return {
      taskDefinition: describeDefinition(record),
      ...(input.include?.includes('TAGS') ? { tags: tagList(record.tags) } : {}),
    };
  }

  deregister(input: DeregisterTaskDefinitionCommandInput): Output<DeregisterTaskDefinitionCommandOutput> {
    const name = parseArn(input.taskDefinition ?? '')?.rest ?? input.taskDefinition ?? '';
    if (!/:\d+$/.test(name)) throw clientException('Task definition must have a revision.');
    const record = this.store.definitions.get(name);
    if (record === undefined) throw clientException('The specified task definition does not exist.');
    const inactive: TaskDefinitionRecord = {
      ...record,
      status: 'INACTIVE',
      deregisteredAt: record.deregisteredAt ?? this.context.clock.now(),
    };
    this.store.definitions.set(name, inactive);
    return { taskDefinition: describeDefinition(inactive) };
  }

  list(input: ListTaskDefinitionsCommandInput): Output<ListTaskDefinitionsCommandOutput> {
    const status = input.status ?? 'ACTIVE';
    const prefix = input.familyPrefix;
    const families = prefix === undefined ? [...this.store.families.keys()].sort() : [prefix];
    const arns = families.flatMap((family) => this.revisionsOf(family, status).map((record) => record.arn));
    if (input.sort === 'DESC') arns.reverse();
    const page = offsetPage(arns, input);
    return { taskDefinitionArns: page.items, nextToken: page.nextToken };
  }

  listFamilies(
    input: ListTaskDefinitionFamiliesCommandInput,
  ): Output<ListTaskDefinitionFamiliesCommandOutput> {
    const status = input.status ?? 'ACTIVE';
    if (status !== 'ACTIVE' && status !== 'INACTIVE' && status !== 'ALL') {
      throw invalidParameter('Invalid status.');
    }
    const families = [...this.store.families.keys()].sort().filter((family) => {
      if (!family.startsWith(input.familyPrefix ?? '')) return false;
      const active = this.revisionsOf(family, 'ACTIVE').length > 0;
      return status === 'ALL' || active === (status === 'ACTIVE');
    });
    const page = offsetPage(families, input);
    return { families: page.items, nextToken: page.nextToken };
  }

  private revisionsOf(family: string, status: string): TaskDefinitionRecord[] {
    const records = (this.store.families.get(family) ?? []).map((revision) =>
      this.store.definitions.get(`${family}:${revision}`),
    );
    return records.filter(
      (record) => record !== undefined && record.status === status,
    ) as TaskDefinitionRecord[];
  }
}

/** With the defaults that ECS fills in when a definition is registered. */
export function describeDefinition(record: TaskDefinitionRecord): TaskDefinition {
  const { definition } = record;
  return {
    ...definition,
    containerDefinitions: (definition.containerDefinitions ?? []).map((container) => ({
      ...container,
      cpu: container.cpu ?? 0,
      essential: container.essential ?? true,
      environment: container.environment ?? [],
      mountPoints: container.mountPoints ?? [],
      volumesFrom: container.volumesFrom ?? [],
      portMappings: (container.portMappings ?? []).map((mapping) => ({
        ...mapping,
        hostPort: mapping.hostPort ?? 0,
        protocol: mapping.protocol ?? 'tcp',
      })),
    })),
    taskDefinitionArn: record.arn,
    family: record.family,
    revision: record.revision,
    status: record.status,
    requiresAttributes: attributeList(record.requiresAttributes),
    compatibilities: ['EC2', 'EXTERNAL'],
    volumes: definition.volumes ?? [],
    placementConstraints: definition.placementConstraints ?? [],
    registeredAt: new Date(record.registeredAt),
    deregisteredAt: record.deregisteredAt === undefined ? undefined : new Date(record.deregisteredAt),
  };
}
