import type {
  CreateEventBusCommandInput,
  CreateEventBusResponse,
  DeleteEventBusCommandInput,
  DescribeEventBusCommandInput,
  DescribeEventBusResponse,
  ListEventBusesCommandInput,
  ListEventBusesResponse,
  ListTagsForResourceCommandInput,
  ListTagsForResourceResponse,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-eventbridge';
import type { EngineClock } from '../engine/clock.ts';
import { ServiceError } from '../engine/service.ts';
import { type Bus, type Buses, DEFAULT_BUS } from './buses.ts';
import { pageByName } from './page.ts';
import type { Rule } from './rule.ts';

/** The operations on event buses, and on the tags of buses and rules. */
export function busOperations(buses: Buses, clock: EngineClock) {
  /** The bus or rule of an ARN, and how to store other tags on it. */
  const tagged = (arn: string | undefined) => {
    for (const bus of buses.all()) {
      if (bus.arn === arn) {
        return {
          tags: bus.stored.tags,
          store: (tags: Tags): void => void buses.putBus({ ...bus.stored, tags }),
        };
      }
      for (const rule of bus.rules.values()) {
        if (rule.arn === arn) {
          return {
            tags: rule.stored.tags,
            store: (tags: Tags): void => void buses.putRule({ ...rule.stored, tags }),
          };
        }
      }
    }
    throw new ServiceError('ResourceNotFoundException', `Resource ${String(arn)} does not exist.`);
  };

  return {
    CreateEventBus({
      Name,
      Description,
      Tags,
      EventSourceName,
    }: CreateEventBusCommandInput): CreateEventBusResponse {
      if (Name === undefined || !/^[\w.\-/]{1,256}$/.test(Name) || EventSourceName !== undefined) {
        throw new ServiceError(
          'ValidationException',
          `The name of the event bus is not valid: ${String(Name)}`,
        );
      }
      if (buses.find(Name) !== undefined) {
        throw new ServiceError('ResourceAlreadyExistsException', `Event bus ${Name} already exists.`);
      }
      const nowMs = clock.now();
      const bus = buses.putBus({
        name: Name,
        tags: tagRecord(Tags),
        createdAtMs: nowMs,
        modifiedAtMs: nowMs,
        ...(Description !== undefined && { description: Description }),
      });
      return { EventBusArn: bus.arn, Description };
    },

    DeleteEventBus({ Name }: DeleteEventBusCommandInput): void {
      const bus = buses.find(Name);
      if (Name === DEFAULT_BUS || bus?.stored.name === DEFAULT_BUS) {
        throw new ServiceError('ValidationException', 'Cannot delete event bus default.');
      }
      if (bus === undefined) return;
      if (bus.rules.size > 0) {
        throw new ServiceError(
          'ValidationException',
          `Event bus ${bus.stored.name} has rules; delete them first.`,
        );
      }
      buses.removeBus(bus);
    },

    DescribeEventBus({ Name }: DescribeEventBusCommandInput): DescribeEventBusResponse {
      return describe(buses.get(Name));
    },

    ListEventBuses({
      NamePrefix = '',
      Limit,
      NextToken,
    }: ListEventBusesCommandInput): ListEventBusesResponse {
      const chosen = [...buses.all()].filter(({ stored }) => stored.name.startsWith(NamePrefix));
      const { page, nextToken } = pageByName(chosen, ({ stored }) => stored.name, Limit, NextToken);
      return { EventBuses: page.map(describe), NextToken: nextToken };
    },

    ListTagsForResource({ ResourceARN }: ListTagsForResourceCommandInput): ListTagsForResourceResponse {
      const { tags } = tagged(ResourceARN);
      return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
    },

    TagResource({ ResourceARN, Tags }: TagResourceCommandInput): void {
      const { tags, store } = tagged(ResourceARN);
      store({ ...tags, ...tagRecord(Tags) });
    },

    UntagResource({ ResourceARN, TagKeys = [] }: UntagResourceCommandInput): void {
      const { tags, store } = tagged(ResourceARN);
      store(Object.fromEntries(Object.entries(tags).filter(([key]) => !TagKeys.includes(key))));
    },
  };
}

type Tags = Rule['stored']['tags'];

export function tagRecord(tags: readonly Tag[] | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  for (const { Key, Value } of tags ?? []) if (Key !== undefined) record[Key] = Value ?? '';
  return record;
}

function describe({ stored, arn }: Bus) {
  return {
    Name: stored.name,
    Arn: arn,
    Description: stored.description,
    CreationTime: new Date(stored.createdAtMs),
    LastModifiedTime: new Date(stored.modifiedAtMs),
  };
}
