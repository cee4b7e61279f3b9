import type {
  CreateTopicCommandInput,
  CreateTopicResponse,
  DeleteTopicCommandInput,
  GetTopicAttributesCommandInput,
  GetTopicAttributesResponse,
  ListTagsForResourceCommandInput,
  ListTagsForResourceResponse,
  ListTopicsCommandInput,
  ListTopicsResponse,
  SetTopicAttributesCommandInput,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-sns';
import type { EngineContext } from '../engine/service.ts';
import { invalidParameter } from './errors.ts';
import { pageOf } from './page.ts';
import type { Topics } from './topics.ts';

/** Attributes that this engine keeps; those it acts on are MaximumMessageSize alone. */
const SETTABLE = new Set([
  'DisplayName',
  'Policy',
  'KmsMasterKeyId',
  'TracingConfig',
  'SignatureVersion',
  'MaximumMessageSize',
]);

function checkAttribute(name: string, value: string): void {
  if (name === 'FifoTopic' && value === 'false') return;
  if (!SETTABLE.has(name)) throw invalidParameter(`Attributes Reason: Unknown attribute ${name}`);
  if (name !== 'MaximumMessageSize') return;
  const bytes = Number(value);
  if (!Number.isInteger(bytes) || bytes < 1024 || bytes > 1_048_576) {
    throw invalidParameter('Attributes Reason: MaximumMessageSize must be between 1024 and 1048576');
  }
}

const tagRecord = (tags: readonly Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));

/** The operations on topics. FIFO topics are not offered. */
export function topicOperations({ accountId }: EngineContext, topics: Topics) {
  return {
    CreateTopic({ Name, Attributes = {}, Tags }: CreateTopicCommandInput): CreateTopicResponse {
      if (Name === undefined || !/^[\w-]{1,256}$/.test(Name)) throw invalidParameter('Topic Name');
      for (const [name, value] of Object.entries(Attributes)) checkAttribute(name, value);
      const arn = topics.arn(Name);
      const existing = topics.find(arn);
      if (existing === undefined)
        topics.put({ arn, name: Name, attributes: Attributes, tags: tagRecord(Tags) });
      else if (Object.entries(Attributes).some(([name, value]) => existing.attributes[name] !== value)) {
        throw invalidParameter('Attributes Reason: Topic already exists with different attributes');
      }
      return { TopicArn: arn };
    },

    DeleteTopic({ TopicArn = '' }: DeleteTopicCommandInput): void {
      topics.remove(TopicArn);
    },

    ListTopics({ NextToken }: ListTopicsCommandInput): ListTopicsResponse {
      const { page, nextToken } = pageOf(topics.all(), ({ arn }) => arn, NextToken);
      return { Topics: page.map(({ arn }) => ({ TopicArn: arn })), NextToken: nextToken };
    },

    GetTopicAttributes({ TopicArn }: GetTopicAttributesCommandInput): GetTopicAttributesResponse {
      const { arn, attributes } = topics.get(TopicArn);
      const confirmed = [...topics.of(arn)].length;
      return {
        Attributes: {
          DisplayName: '',
          ...attributes,
          TopicArn: arn,
          Owner: accountId,
          SubscriptionsConfirmed: String(confirmed),
          SubscriptionsPending: '0',
          SubscriptionsDeleted: '0',
        },
      };
    },

    SetTopicAttributes({
      TopicArn,
      AttributeName = '',
      AttributeValue = '',
    }: SetTopicAttributesCommandInput): void {
      const topic = topics.get(TopicArn);
      checkAttribute(AttributeName, AttributeValue);
      topics.put({ ...topic, attributes: { ...topic.attributes, [AttributeName]: AttributeValue } });
    },

    TagResource({ ResourceArn, Tags }: TagResourceCommandInput): void {
      const topic = topics.get(ResourceArn);
      topics.put({ ...topic, tags: { ...topic.tags, ...tagRecord(Tags) } });
    },

    UntagResource({ ResourceArn, TagKeys = [] }: UntagResourceCommandInput): void {
      const topic = topics.get(ResourceArn);
      const kept = Object.entries(topic.tags).filter(([key]) => !TagKeys.includes(key));
      topics.put({ ...topic, tags: Object.fromEntries(kept) });
    },

    ListTagsForResource({ ResourceArn }: ListTagsForResourceCommandInput): ListTagsForResourceResponse {
      return { Tags: Object.entries(topics.get(ResourceArn).tags).map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}
