import type {
  CreateQueueCommandInput,
  CreateQueueResult,
  DeleteQueueCommandInput,
  GetQueueAttributesCommandInput,
  GetQueueAttributesResult,
  GetQueueUrlCommandInput,
  GetQueueUrlResult,
  ListDeadLetterSourceQueuesCommandInput,
  ListDeadLetterSourceQueuesResult,
  ListQueuesCommandInput,
  ListQueuesResult,
  ListQueueTagsCommandInput,
  ListQueueTagsResult,
  PurgeQueueCommandInput,
  SetQueueAttributesCommandInput,
  TagQueueCommandInput,
  UntagQueueCommandInput,
} from '@aws-sdk/client-sqs';
import { ServiceError } from '../engine/service.ts';
import {
  invalidAttributeName,
  invalidParameter,
  missingParameter,
  queueDoesNotExist,
  wholeNumber,
} from './errors.ts';
import type { Queue } from './queue.ts';
import type { Registry } from './registry.ts';
import {
  checkAttributes,
  invalidRedrive,
  parseSettings,
  type QueueAttributes,
  type Settings,
  shownAttributes,
} from './settings.ts';

/** "You must wait 60 seconds after deleting a queue before you can create another queue with the same name." */
const REUSE_MS = 60_000;
/** "Only one PurgeQueue operation is allowed every 60 seconds." */
const PURGE_MS = 60_000;
const MAXIMUM_LISTED = 1000;

/** The operations on queues themselves. */
export function queueOperations(registry: Registry) {
  const { clock } = registry.context;
  const deletedAtMs = new Map<string, number>();
  const purgedAtMs = new Map<string, number>();

  const checkRedrive = (settings: Settings, text: string | undefined): void => {
    if (settings.redrive === undefined || text === undefined) return;
    const target = registry.findByArn(settings.redrive.deadLetterTargetArn);
    if (target === undefined) throw invalidRedrive(text, 'Dead letter target does not exist.');
    if (target.settings.fifo !== settings.fifo) {
      throw invalidRedrive(text, 'Dead-letter queue must be same type of queue as the source.');
    }
  };

  return {
    CreateQueue({
      QueueName: name,
      Attributes: given,
      tags = {},
    }: CreateQueueCommandInput): CreateQueueResult {
      if (name === undefined || name === '') throw missingParameter('QueueName');
      const attributes = defined(given);
      const fifo = attributes.FifoQueue === 'true';
      checkName(name, fifo);
      checkAttributes(attributes, fifo);
      const existing = registry.find(name);
      if (existing !== undefined) {
        checkSame(existing, attributes);
        return { QueueUrl: registry.url(existing) };
      }
      const goneAtMs = deletedAtMs.get(name);
      if (goneAtMs !== undefined && clock.now() - goneAtMs < REUSE_MS) {
        throw new ServiceError(
          'QueueDeletedRecently',
          'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
        );
      }
      deletedAtMs.delete(name);
      checkRedrive(parseSettings(attributes), attributes.RedrivePolicy);
      const nowMs = clock.now();
      const queue = registry.create({ name, attributes, tags, createdAtMs: nowMs, modifiedAtMs: nowMs });
      return { QueueUrl: registry.url(queue) };
    },

    DeleteQueue({ QueueUrl }: DeleteQueueCommandInput): void {
      const queue = registry.byUrl(QueueUrl);
      registry.remove(queue);
      deletedAtMs.set(queue.name, clock.now());
    },

    GetQueueUrl({ QueueName, QueueOwnerAWSAccountId: owner }: GetQueueUrlCommandInput): GetQueueUrlResult {
      if (QueueName === undefined || QueueName === '') throw missingParameter('QueueName');
      const queue = registry.find(QueueName);
      const foreign = owner !== undefined && owner !== registry.context.accountId;
      if (queue === undefined || foreign) throw queueDoesNotExist();
      return { QueueUrl: registry.url(queue) };
    },

    ListQueues({
      QueueNamePrefix: prefix = '',
      MaxResults,
      NextToken,
    }: ListQueuesCommandInput): ListQueuesResult {
      const queues = [...registry.all()].filter(({ name }) => name.startsWith(prefix));
      const { page, nextToken } = pageOf(queues, MaxResults, NextToken);
      const urls = page.map((queue) => registry.url(queue));
      return { ...(urls.length > 0 && { QueueUrls: urls }), NextToken: nextToken };
    },

    ListDeadLetterSourceQueues(
      input: ListDeadLetterSourceQueuesCommandInput,
    ): ListDeadLetterSourceQueuesResult {
      const { arn } = registry.byUrl(input.QueueUrl);
      const sources = [...registry.all()].filter(
        ({ settings }) => settings.redrive?.deadLetterTargetArn === arn,
      );
      const { page, nextToken } = pageOf(sources, input.MaxResults, input.NextToken);
      return { queueUrls: page.map((queue) => registry.url(queue)), NextToken: nextToken };
    },

    GetQueueAttributes(input: GetQueueAttributesCommandInput): GetQueueAttributesResult {
      const queue = registry.byUrl(input.QueueUrl);
      const asked = input.AttributeNames ?? [];
      if (asked.length === 0) return {};
      const all = attributesOf(queue);
      if (asked.includes('All')) return { Attributes: all };
      const chosen: Record<string, string> = {};
      for (const name of asked) {
        if (!KNOWN_ATTRIBUTES.has(name)) throw invalidAttributeName(name);
        const value = all[name];
        if (value !== undefined) chosen[name] = value;
      }
      return { Attributes: chosen };
    },

    SetQueueAttributes({ QueueUrl, Attributes }: SetQueueAttributesCommandInput): void {
      const queue = registry.byUrl(QueueUrl);
      if (Attributes === undefined) throw missingParameter('Attributes');
      const changed = defined(Attributes);
      if ('FifoQueue' in changed) throw invalidAttributeName('FifoQueue');
      checkAttributes(changed, queue.settings.fifo);
      const attributes = { ...queue.stored.attributes, ...changed };
      checkRedrive(parseSettings(attributes), changed.RedrivePolicy);
      registry.update(queue, { ...queue.stored, attributes, modifiedAtMs: clock.now() });
    },

    PurgeQueue({ QueueUrl }: PurgeQueueCommandInput): void {
      const queue = registry.byUrl(QueueUrl);
      const beforeMs = purgedAtMs.get(queue.name);
      if (beforeMs !== undefined && clock.now() - beforeMs < PURGE_MS) {
        throw new ServiceError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
          403,
        );
      }
      purgedAtMs.set(queue.name, clock.now());
      queue.purge();
    },

    TagQueue({ QueueUrl, Tags }: TagQueueCommandInput): void {
      const queue = registry.byUrl(QueueUrl);
      registry.update(queue, { ...queue.stored, tags: { ...queue.stored.tags, ...Tags } });
    },

    UntagQueue({ QueueUrl, TagKeys }: UntagQueueCommandInput): void {
      const queue = registry.byUrl(QueueUrl);
      const kept = Object.entries(queue.stored.tags).filter(([key]) => TagKeys?.includes(key) !== true);
      registry.update(queue, { ...queue.stored, tags: Object.fromEntries(kept) });
    },

    ListQueueTags({ QueueUrl }: ListQueueTagsCommandInput): ListQueueTagsResult {
      const { tags } = registry.byUrl(QueueUrl).stored;
      return Object.keys(tags).length === 0 ? {} : { Tags: { ...tags } };
    },
  };
}

const KNOWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'All',
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'ContentBasedDeduplication',
  'CreatedTimestamp',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'LastModifiedTimestamp',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'Policy',
  'QueueArn',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
]);

const seconds = (ms: number): string => String(Math.floor(ms / 1000));

function attributesOf(queue: Queue): Record<string, string> {
  const { stored, counts, arn } = queue;
  return {
    ...shownAttributes(stored.attributes),
    QueueArn: arn,
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    CreatedTimestamp: seconds(stored.createdAtMs),
    LastModifiedTimestamp: seconds(stored.modifiedAtMs),
  };
}

function defined(attributes: QueueAttributes | undefined): Record<string, string> {
  const entries = Object.entries(attributes ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function checkName(name: string, fifo: boolean): void {
  const base = name.replace(/\.fifo$/, '');
  if (!/^[\w-]{1,80}$/.test(base) || name.length > 80) {
    throw invalidParameter(
      name,
      'QueueName',
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.',
    );
  }
  if (fifo !== name.endsWith('.fifo')) {
    throw invalidParameter(
      name,
      'QueueName',
      'The name of a FIFO queue can only end with .fifo and only its name can.',
    );
  }
}

function checkSame(existing: Queue, attributes: Readonly<Record<string, string>>): void {
  const shown: Readonly<Record<string, string>> = shownAttributes(existing.stored.attributes);
  for (const [name, value] of Object.entries(attributes)) {
    if (shown[name] === value) continue;
    throw new ServiceError(
      'QueueNameExists',
      `A queue already exists with the same name and a different value for attribute ${name}`,
    );
  }
}

/** The token is the name of the last queue shown. Without MaxResults the service shows up to 1,000 and gives no token. */
function pageOf(
  queues: readonly Queue[],
  maxResults: number | undefined,
  token: string | undefined,
): { readonly page: readonly Queue[]; readonly nextToken: string | undefined } {
  const sorted = [...queues].sort((a, b) => (a.name < b.name ? -1 : 1));
  const after = token === undefined ? undefined : Buffer.from(token, 'base64').toString();
  const rest = after === undefined ? sorted : sorted.filter(({ name }) => name > after);
  if (maxResults === undefined) return { page: rest.slice(0, MAXIMUM_LISTED), nextToken: undefined };
  wholeNumber(maxResults, 'MaxResults', 1, MAXIMUM_LISTED, 'Must be between 1 and 1000.');
  const page = rest.slice(0, maxResults);
  const last = page.at(-1);
  const nextToken =
    rest.length > page.length && last !== undefined ? Buffer.from(last.name).toString('base64') : undefined;
  return { page, nextToken };
}
