import type {
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-ecs';
import { parseArn } from './arn.ts';
import { tagList } from './describeTask.ts';
import { clusterNotFound, invalidParameter } from './errors.ts';
import type { Tags } from './records.ts';
import type { EcsStore } from './store.ts';

const MAX_TAGS = 50;

/** Tags of a request. Throws InvalidParameterException for too many, repeated or reserved keys. */
export function tagsOf(list: readonly Tag[] | undefined): Tags {
  const tags: Record<string, string> = {};
  for (const { key, value } of list ?? []) {
    if (key === undefined || key === '' || key.length > 128) {
      throw invalidParameter('Tag keys have 1 to 128 characters.');
    }
    if (/^aws:/i.test(key)) throw invalidParameter('Tag keys must not begin with "aws:".');
    if ((value ?? '').length > 256) throw invalidParameter('Tag values have at most 256 characters.');
    if (Object.hasOwn(tags, key)) throw invalidParameter(`Duplicate tag key: ${key}`);
    tags[key] = value ?? '';
  }
  if (Object.keys(tags).length > MAX_TAGS) {
    throw invalidParameter(`A resource has at most ${MAX_TAGS} tags.`);
  }
  return tags;
}

/** One tagged resource: how to read its tags and how to replace them. */
interface Tagged {
  readonly tags: Tags;
  readonly replace: (tags: Tags) => void;
}

export class TagOperations {
  private readonly store: EcsStore;

  constructor(store: EcsStore) {
    this.store = store;
  }

  tag(input: TagResourceCommandInput): Record<string, never> {
    const resource = this.find(input.resourceArn);
    const merged = { ...resource.tags, ...tagsOf(input.tags) };
    resource.replace(tagsOf(tagList(merged)));
    return {};
  }

  untag(input: UntagResourceCommandInput): Record<string, never> {
    const resource = this.find(input.resourceArn);
    const removed = new Set(input.tagKeys);
    resource.replace(Object.fromEntries(Object.entries(resource.tags).filter(([key]) => !removed.has(key))));
    return {};
  }

  list(input: ListTagsForResourceCommandInput): Omit<ListTagsForResourceCommandOutput, '$metadata'> {
    return { tags: tagList(this.find(input.resourceArn).tags) };
  }

  private find(arn: string | undefined): Tagged {
    const parsed = parseArn(arn ?? '');
    if (parsed === undefined) throw invalidParameter(`Invalid identifier: Identifier is for ${arn ?? ''}.`);
    const found = this.lookUp(parsed.kind, parsed.rest);
    if (found === undefined) throw invalidParameter('The specified resource does not exist.');
    return found;
  }

  private lookUp(kind: string, rest: string): Tagged | undefined {
    const { store } = this;
    const [cluster = '', id = ''] = rest.split('/');
    switch (kind) {
      case 'cluster': {
        const record = store.clusters.get(rest);
        if (record?.status !== 'ACTIVE') throw clusterNotFound();
        return { tags: record.tags, replace: (tags) => store.clusters.set(rest, { ...record, tags }) };
      }
      case 'task-definition': {
        const record = store.definitions.get(rest);
        if (record === undefined) return undefined;
        return { tags: record.tags, replace: (tags) => store.definitions.set(rest, { ...record, tags }) };
      }
      case 'task': {
        const task = store.task(cluster, id);
        if (task === undefined) return undefined;
        return { tags: task.tags, replace: (tags) => store.putTask({ ...task, tags }) };
      }
      case 'container-instance': {
        const record = store.host(cluster, id)?.record;
        if (record === undefined) return undefined;
        return { tags: record.tags, replace: (tags) => void store.putHost({ ...record, tags }) };
      }
      default:
        return undefined;
    }
  }
}
