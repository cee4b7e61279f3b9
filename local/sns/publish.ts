import type {
  BatchResultErrorEntry,
  MessageAttributeValue,
  PublishBatchCommandInput,
  PublishBatchResponse,
  PublishBatchResultEntry,
  PublishCommandInput,
  PublishResponse,
} from '@aws-sdk/client-sns';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import { uuidOf } from '../engine/uuid.ts';
import type { Outbox, ShippedAttribute } from '../events/outbox.ts';
import { lambdaEvent, queueEnvelope } from './envelope.ts';
import { invalidParameter } from './errors.ts';
import type { Published } from './records.ts';
import type { Subscription, Topics } from './topics.ts';

/** 256 KiB unless the topic allows more: Publish in the SNS API reference. */
const MAXIMUM_BYTES = 262_144;
const MAXIMUM_ENTRIES = 10;
/** What the service itself tries for AWS targets: about 23 days. */
const LIMITS = { maximumRetries: 100_015, maximumAgeMs: 23 * 86_400_000 };

type Message = Pick<PublishCommandInput, 'Message' | 'Subject' | 'MessageStructure' | 'MessageAttributes'>;

/** The operations that publish. Every delivery is stored before they answer. */
export function publishOperations(context: EngineContext, topics: Topics, outbox: Outbox) {
  const prepare = (topicArn: string, message: Message): { published: Published; bytes: number } => {
    const { Message: text, Subject: subject, MessageStructure: structure } = message;
    if (text === undefined || text === '') throw invalidParameter('Empty message');
    if (subject !== undefined && !/^[\x20-\x7e]{1,100}$/.test(subject)) throw invalidParameter('Subject');
    const attributes = storeAttributes(message.MessageAttributes);
    const bytes = Buffer.byteLength(text) + attributeBytes(attributes);
    const published: Published = {
      id: uuidOf(context.hex(32)),
      topicArn,
      subject,
      textFor: structure === 'json' ? textByProtocol(text) : () => text,
      attributes,
      publishedAtMs: context.clock.now(),
    };
    return { published, bytes };
  };

  const limitOf = (topicArn: string): number =>
    Number(topics.get(topicArn).attributes.MaximumMessageSize ?? MAXIMUM_BYTES);

  const deliver = (published: Published): void => {
    for (const subscription of topics.of(published.topicArn)) {
      const text = published.textFor(subscription.stored.protocol);
      if (subscription.filter(published, text)) ship(outbox, subscription, published, text);
    }
  };

  return {
    Publish(input: PublishCommandInput): PublishResponse {
      if (input.PhoneNumber !== undefined)
        throw invalidParameter('PhoneNumber Reason: SMS is not supported here');
      const topicArn = input.TopicArn ?? input.TargetArn;
      if (topicArn === undefined)
        throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter');
      const limit = limitOf(topicArn);
      const { published, bytes } = prepare(topicArn, input);
      if (bytes > limit) throw invalidParameter('Message too long');
      deliver(published);
      return { MessageId: published.id };
    },

    PublishBatch({
      TopicArn = '',
      PublishBatchRequestEntries: entries = [],
    }: PublishBatchCommandInput): PublishBatchResponse {
      const limit = limitOf(TopicArn);
      checkEntries(entries.map(({ Id }) => Id));
      const prepared: { readonly id: string | undefined; readonly published: Published }[] = [];
      const Failed: BatchResultErrorEntry[] = [];
      let total = 0;
      for (const entry of entries) {
        try {
          const { published, bytes } = prepare(TopicArn, entry);
          total += bytes;
          prepared.push({ id: entry.Id, published });
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          Failed.push({ Id: entry.Id, Code: 'InvalidParameter', Message: error.message, SenderFault: true });
        }
      }
      if (total > limit) {
        throw new ServiceError(
          'BatchRequestTooLongException',
          'The length of all the messages put together is more than the limit.',
        );
      }
      const Successful = prepared.map(({ id, published }): PublishBatchResultEntry => {
        deliver(published);
        return { Id: id, MessageId: published.id };
      });
      return { Successful, Failed };
    },
  };
}

function ship(outbox: Outbox, { stored }: Subscription, published: Published, text: string): void {
  const { protocol, endpoint, attributes, arn } = stored;
  const isRaw = protocol === 'sqs' && attributes.RawMessageDelivery === 'true';
  const dress = protocol === 'lambda' ? lambdaEvent : queueEnvelope;
  const deadLetterArn = deadLetterOf(attributes.RedrivePolicy);
  outbox.ship({
    targetArn: endpoint,
    body: isRaw ? text : dress(published, text, stored),
    limits: LIMITS,
    faultDetail: arn,
    ...(isRaw && { messageAttributes: published.attributes }),
    ...(deadLetterArn !== undefined && { deadLetter: { arn: deadLetterArn, attributes: {} } }),
  });
}

/** The queue of a subscription's redrive policy. Throws InvalidParameterException. */
export function deadLetterOf(policy: string | undefined): string | undefined {
  if (policy === undefined || policy === '') return undefined;
  let arn: unknown;
  try {
    ({ deadLetterTargetArn: arn } = JSON.parse(policy) as { deadLetterTargetArn?: unknown });
  } catch {
    throw invalidParameter('RedrivePolicy: it is not valid JSON');
  }
  if (typeof arn !== 'string' || !arn.startsWith('arn:aws:sqs:')) {
    throw invalidParameter('RedrivePolicy: deadLetterTargetArn must be the ARN of an SQS queue');
  }
  return arn;
}

function textByProtocol(message: string): Published['textFor'] {
  let texts: Readonly<Record<string, unknown>>;
  try {
    texts = JSON.parse(message) as Readonly<Record<string, unknown>>;
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  }
  const { default: fallback } = texts;
  if (typeof fallback !== 'string')
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  return (protocol) => {
    const own = Object.hasOwn(texts, protocol) ? texts[protocol] : undefined;
    return typeof own === 'string' ? own : fallback;
  };
}

function storeAttributes(
  input: Readonly<Record<string, MessageAttributeValue>> | undefined,
): Record<string, ShippedAttribute> {
  const stored: Record<string, ShippedAttribute> = {};
  for (const [name, { DataType = '', StringValue, BinaryValue }] of Object.entries(input ?? {})) {
    if (!/^(String(\.Array)?|Number|Binary)$/.test(DataType)) {
      throw invalidParameter(`Message attribute ${name}: its type is String, String.Array, Number or Binary`);
    }
    const isBinary = DataType === 'Binary';
    if (isBinary ? BinaryValue === undefined : StringValue === undefined || StringValue === '') {
      throw invalidParameter(`Message attribute ${name} has no value`);
    }
    stored[name] = isBinary
      ? { DataType, base64: Buffer.from(BinaryValue ?? []).toString('base64') }
      : { DataType, StringValue: StringValue ?? '' };
  }
  return stored;
}

function attributeBytes(attributes: Readonly<Record<string, ShippedAttribute>>): number {
  let bytes = 0;
  for (const [name, { DataType, StringValue = '', base64 = '' }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(base64, 'base64');
  }
  return bytes;
}

function checkEntries(ids: readonly (string | undefined)[]): void {
  if (ids.length === 0) {
    throw new ServiceError('EmptyBatchRequestException', "The batch request doesn't contain any entries.");
  }
  if (ids.length > MAXIMUM_ENTRIES) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequestException',
      'The batch request contains more entries than permissible.',
    );
  }
  if (ids.some((id) => id === undefined || !/^[\w-]{1,80}$/.test(id))) {
    throw new ServiceError(
      'InvalidBatchEntryIdException',
      "The Id of a batch entry in a batch request doesn't abide by the specification.",
    );
  }
  if (new Set(ids).size < ids.length) {
    throw new ServiceError(
      'BatchEntryIdsNotDistinctException',
      'Two or more batch entries in the request have the same Id.',
    );
  }
}
