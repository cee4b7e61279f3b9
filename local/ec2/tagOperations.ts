import type {
  CreateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeTagsCommandInput,
  DescribeTagsCommandOutput,
  ResourceType,
} from '@aws-sdk/client-ec2';
import { ec2Error, instancesNotFound, missing } from './errors.ts';
import { matchesFilters, parseFilters } from './filters.ts';
import type { InstanceStore } from './instanceStore.ts';
import type { LaunchTemplates } from './launchTemplates.ts';
import { offsetPage } from './pages.ts';
import type { Tags } from './records.ts';
import type { SecurityGroups } from './securityGroups.ts';
import { limited, tagsOf } from './tags.ts';

interface Tagged {
  readonly id: string;
  readonly type: ResourceType;
  readonly tags: Tags;
  readonly replace: (tags: Tags) => void;
}

/** CreateTags, DeleteTags and DescribeTags over instances, launch templates and security groups. */
export class TagOperations {
  private readonly instances: InstanceStore;
  private readonly templates: LaunchTemplates;
  private readonly groups: SecurityGroups;

  constructor(instances: InstanceStore, templates: LaunchTemplates, groups: SecurityGroups) {
    this.instances = instances;
    this.templates = templates;
    this.groups = groups;
  }

  create(input: CreateTagsCommandInput): Record<string, never> {
    const added = tagsOf(input.Tags);
    if (Object.keys(added).length === 0) throw missing('Tag');
    for (const resource of this.named(input.Resources))
      resource.replace(limited({ ...resource.tags, ...added }));
    return {};
  }

  /** A key without a value goes whatever its value; with one, only when it has that value. Without keys, all go. */
  delete(input: DeleteTagsCommandInput): Record<string, never> {
    for (const resource of this.named(input.Resources)) {
      const kept = Object.entries(resource.tags).filter(([key, value]) => {
        if (key.startsWith('aws:')) return true;
        if (input.Tags === undefined || input.Tags.length === 0) return false;
        return !input.Tags.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value));
      });
      resource.replace(Object.fromEntries(kept));
    }
    return {};
  }

  describe(input: DescribeTagsCommandInput): Omit<DescribeTagsCommandOutput, '$metadata'> {
    const filters = parseFilters(input.Filters, ['key', 'value', 'resource-id', 'resource-type', 'tag-key']);
    const all = this.all().flatMap(({ id, type, tags }) =>
      Object.entries(tags).map(([Key, Value]) => ({ Key, Value, ResourceId: id, ResourceType: type })),
    );
    const found = all.filter((tag) =>
      matchesFilters(filters, {
        key: [tag.Key],
        value: [tag.Value],
        'resource-id': [tag.ResourceId],
        'resource-type': [tag.ResourceType],
        'tag-key': [tag.Key],
        [`tag:${tag.Key}`]: [tag.Value],
      }),
    );
    const page = offsetPage(found, input, 1000);
    return { Tags: [...page.items], NextToken: page.nextToken };
  }

  private all(): Tagged[] {
    const ids = [
      ...[...this.instances.all()].map((record) => record.instanceId),
      ...[...this.templates.records.values()].map((record) => record.id),
      ...[...this.groups.records.values()].map((record) => record.id),
    ];
    return ids.flatMap((id) => this.find(id) ?? []);
  }

  private named(ids: readonly string[] | undefined): Tagged[] {
    if (ids === undefined || ids.length === 0) throw missing('ResourceId');
    return ids.map((id) => {
      const resource = this.find(id);
      if (resource !== undefined) return resource;
      throw id.startsWith('i-')
        ? instancesNotFound([id])
        : ec2Error('InvalidID', `The ID '${id}' is not valid`);
    });
  }

  private find(id: string): Tagged | undefined {
    const instance = this.instances.get(id);
    if (instance !== undefined) {
      const replace = (tags: Tags): void => this.instances.put({ ...instance, tags });
      return { id, type: 'instance', tags: instance.tags, replace };
    }
    const template = this.templates.records.get(id);
    if (template !== undefined) {
      const replace = (tags: Tags): void => this.templates.records.set(id, { ...template, tags });
      return { id, type: 'launch-template', tags: template.tags, replace };
    }
    const group = this.groups.records.get(id);
    if (group === undefined) return undefined;
    const replace = (tags: Tags): void => this.groups.records.set(id, { ...group, tags });
    return { id, type: 'security-group', tags: group.tags, replace };
  }
}
