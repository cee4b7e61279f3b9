import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { ec2Error, invalidValue } from './errors.ts';
import type { Tags } from './records.ts';

const MAX_TAGS = 50;

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** Throws for reserved, overlong or repeated keys. */
export function tagsOf(list: readonly Tag[] | undefined): Tags {
  const tags: Record<string, string> = {};
  for (const { Key: key = '', Value: value = '' } of list ?? []) {
    if (key === '' || key.length > 128) throw invalidValue('Tag keys have 1 to 128 characters.');
    if (value.length > 256) throw invalidValue('Tag values have at most 256 characters.');
    if (key.startsWith('aws:')) {
      throw invalidValue(
        `Value ( ${key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`,
      );
    }
    if (Object.hasOwn(tags, key)) {
      throw invalidValue(`Duplicate tag key '${key}' specified.`);
    }
    tags[key] = value;
  }
  return tags;
}

/** The tags that a request asks for on resources of this type. */
export function tagsFor(
  resourceType: string,
  specifications: readonly Pick<TagSpecification, 'ResourceType' | 'Tags'>[] | undefined,
): Tags {
  const wanted = (specifications ?? []).filter((each) => each.ResourceType === resourceType);
  return limited(tagsOf(wanted.flatMap((each) => each.Tags ?? [])));
}

export function limited(tags: Tags): Tags {
  if (Object.keys(tags).filter((key) => !key.startsWith('aws:')).length > MAX_TAGS) {
    throw ec2Error('TagLimitExceeded', `More than ${MAX_TAGS} tags were specified for a resource.`);
  }
  return tags;
}
