import { createHash } from 'node:crypto';
import type { SendMessageBatchRequestEntry, SendMessageCommandOutput } from '@aws-sdk/client-sqs';
import { ServiceError } from '../engine/service.ts';
import { uuidOf } from '../engine/uuid.ts';
import { invalidParameter, missingParameter, wholeNumber } from './errors.ts';
import {
  attributesMd5,
  checkBody,
  md5,
  messageBytes,
  type StoredAttributes,
  type StoredMessage,
  sequenceNumber,
  storeAttributes,
} from './message.ts';
import type { Queue } from './queue.ts';
import type { Registry } from './registry.ts';

export type Outgoing = Omit<SendMessageBatchRequestEntry, 'Id'>;
export type Sent = Omit<SendMessageCommandOutput, '$metadata'>;

/** A checked message that is not in its queue yet: a batch is measured as a whole before any of it is sent. */
export interface Prepared {
  readonly bytes: number;
  readonly body: string;
  readonly attributes: StoredAttributes;
  readonly traceHeader: string | undefined;
  readonly delayMs: number;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
}

const WRONG_QUEUE_TYPE = 'The request include parameter that is not valid for this queue type.';
const ID_PATTERN = /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/;

export function prepare(queue: Queue, outgoing: Outgoing): Prepared {
  const { settings } = queue;
  const body = outgoing.MessageBody;
  if (body === undefined || body === '') throw missingParameter('MessageBody');
  checkBody(body);
  const attributes = storeAttributes(outgoing.MessageAttributes);
  const bytes = messageBytes(body, attributes);
  if (bytes > settings.maximumMessageBytes) {
    throw new ServiceError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${settings.maximumMessageBytes} bytes.`,
    );
  }
  const traceHeader = outgoing.MessageSystemAttributes?.AWSTraceHeader?.StringValue;
  const groupId = checkId(outgoing.MessageGroupId, 'MessageGroupId');
  return {
    bytes,
    body,
    attributes,
    traceHeader,
    groupId,
    delayMs: delayOf(queue, outgoing),
    deduplicationId: deduplicationIdOf(queue, outgoing, groupId, body),
  };
}

/** A message redriven from a dead-letter queue: a new message with the old contents. */
export function prepareMoved(target: Queue, stored: StoredMessage): Prepared {
  return {
    bytes: messageBytes(stored.body, stored.attributes),
    body: stored.body,
    attributes: stored.attributes,
    traceHeader: stored.traceHeader,
    delayMs: target.settings.delayMs,
    groupId: stored.groupId ?? (target.settings.fifo ? stored.id : undefined),
    // Its old deduplication id would swallow it within five minutes of its first send.
    deduplicationId: target.settings.fifo ? stored.id : undefined,
  };
}

function delayOf({ settings }: Queue, { DelaySeconds: seconds }: Outgoing): number {
  if (seconds === undefined) return settings.delayMs;
  wholeNumber(seconds, 'DelaySeconds', 0, 900, 'DelaySeconds must be >= 0 and <= 900.');
  if (settings.fifo && seconds > 0) throw invalidParameter(seconds, 'DelaySeconds', WRONG_QUEUE_TYPE);
  return settings.fifo ? settings.delayMs : seconds * 1000;
}

function deduplicationIdOf(
  { settings }: Queue,
  outgoing: Outgoing,
  groupId: string | undefined,
  body: string,
): string | undefined {
  const id = checkId(outgoing.MessageDeduplicationId, 'MessageDeduplicationId');
  if (!settings.fifo) {
    if (id !== undefined) throw invalidParameter(id, 'MessageDeduplicationId', WRONG_QUEUE_TYPE);
    return undefined;
  }
  if (groupId === undefined) throw missingParameter('MessageGroupId');
  if (id !== undefined) return id;
  if (settings.contentBasedDeduplication) return createHash('sha256').update(body).digest('hex');
  throw new ServiceError(
    'InvalidParameterValue',
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  );
}

function checkId(id: string | undefined, name: string): string | undefined {
  if (id !== undefined && !ID_PATTERN.test(id)) {
    throw invalidParameter(
      id,
      name,
      `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
    );
  }
  return id;
}

/** Puts a message into its queue, unless a FIFO queue has taken its deduplication id before. `queue.flush()` is the caller's. */
export function send(registry: Registry, queue: Queue, prepared: Prepared): Sent {
  const { clock, hex } = registry.context;
  const nowMs = clock.now();
  const { body, attributes, traceHeader, groupId, deduplicationId, delayMs } = prepared;
  const bodyMd5 = md5(body);
  const digests = {
    MD5OfMessageBody: bodyMd5,
    MD5OfMessageAttributes: attributesMd5(attributes),
    MD5OfMessageSystemAttributes:
      traceHeader === undefined
        ? undefined
        : attributesMd5({ AWSTraceHeader: { type: 'String', text: traceHeader } }),
  };
  const key = deduplicationId === undefined ? undefined : registry.sendKey(queue, groupId, deduplicationId);
  const earlier = key === undefined ? undefined : registry.deduplication.find(key, nowMs);
  if (earlier !== undefined) {
    return { ...digests, MessageId: earlier.id, SequenceNumber: sequenceNumber(earlier.sequence) };
  }
  const stored: StoredMessage = {
    queue: queue.name,
    sequence: registry.nextSequence(),
    id: uuidOf(hex(32)),
    body,
    bodyMd5,
    attributes,
    sentAtMs: nowMs,
    ...(traceHeader !== undefined && { traceHeader }),
    ...(delayMs > 0 && { delayedUntilMs: nowMs + delayMs }),
    ...(groupId !== undefined && { groupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
  };
  const { id, sequence } = stored;
  registry.context.state.atomically(() => {
    queue.insert(stored);
    if (key !== undefined) registry.deduplication.remember(key, { id, sequence, sentAtMs: nowMs });
  });
  if (key === undefined) return { ...digests, MessageId: id };
  return { ...digests, MessageId: id, SequenceNumber: sequenceNumber(sequence) };
}
