import { createHash } from 'node:crypto';
import type { MessageAttributeValue, Message as SdkMessage } from '@aws-sdk/client-sqs';
import type { Deadline } from '../engine/deadlines.ts';
import { ServiceError } from '../engine/service.ts';
import { invalidParameter } from './errors.ts';

/** A message attribute as JSON holds it: binary values in base64. */
export interface StoredAttribute {
  readonly type: string;
  readonly text?: string;
  readonly base64?: string;
}
export type StoredAttributes = Readonly<Record<string, StoredAttribute>>;

/** What of a message never changes while it is in one queue. */
export interface StoredMessage {
  readonly queue: string;
  /** Orders the messages of a queue and is the FIFO sequence number. */
  readonly sequence: number;
  readonly id: string;
  readonly body: string;
  readonly bodyMd5: string;
  readonly attributes: StoredAttributes;
  readonly traceHeader?: string;
  readonly sentAtMs: number;
  /** Absent when it was visible at once. */
  readonly delayedUntilMs?: number;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** The dead-letter source, and how often it was received there. */
  readonly sourceArn?: string;
  readonly receivedBefore?: number;
  /** An injected duplicate: delivered like the original, never duplicated again. */
  readonly copy?: true;
}

/** What a receive changes. A message without one was never received. */
export interface StoredReceive {
  readonly count: number;
  readonly firstAtMs: number;
  /** When it was last received. */
  readonly atMs: number;
  readonly visibleAtMs: number;
  readonly receipt: string;
}

export interface QueuedMessage {
  readonly key: string;
  readonly stored: StoredMessage;
  state: 'delayed' | 'visible' | 'inFlight' | 'gone';
  receive: StoredReceive | undefined;
  /** Its fault was drawn and it waits for its delivery. */
  held: boolean;
  visibility: Deadline<QueuedMessage> | undefined;
  retention: Deadline<QueuedMessage> | undefined;
}

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** MD5 of message attributes as every SDK computes it: sorted names; length-prefixed name, type and value. */
export function attributesMd5(attributes: StoredAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    add(Buffer.from(name));
    add(Buffer.from(attribute.type));
    const binary = attribute.base64 !== undefined;
    hash.update(Buffer.of(binary ? 2 : 1));
    add(binary ? Buffer.from(attribute.base64, 'base64') : Buffer.from(attribute.text ?? ''));
  }
  return hash.digest('hex');
}

const MAXIMUM_ATTRIBUTES = 10;

export function storeAttributes(
  input: Readonly<Record<string, MessageAttributeValue>> | undefined,
): StoredAttributes {
  const entries = Object.entries(input ?? {});
  if (entries.length > MAXIMUM_ATTRIBUTES) {
    throw invalidParameter(
      entries.length,
      'MessageAttributes',
      `Number of message attributes exceeds the allowed maximum [${MAXIMUM_ATTRIBUTES}].`,
    );
  }
  const stored: Record<string, StoredAttribute> = {};
  for (const [name, value] of entries) stored[name] = storeAttribute(name, value);
  return stored;
}

function storeAttribute(name: string, value: MessageAttributeValue): StoredAttribute {
  const refuse = (reason: string): ServiceError => new ServiceError('InvalidParameterValue', reason);
  if (!/^(?!aws\.|amazon\.)[\w.-]{1,256}$/i.test(name) || /^\.|\.$|\.\./.test(name)) {
    throw refuse(`Message (user) attribute name '${name}' is invalid.`);
  }
  const type = value.DataType;
  if (type === undefined || !/^(String|Number|Binary)(\..{1,256})?$/.test(type)) {
    throw refuse(`The message attribute '${name}' has an invalid message attribute type.`);
  }
  if (type.startsWith('Binary')) {
    if (value.BinaryValue === undefined || value.BinaryValue.length === 0) {
      throw refuse(`The message attribute '${name}' must contain a non-empty message attribute value.`);
    }
    return { type, base64: Buffer.from(value.BinaryValue).toString('base64') };
  }
  if (value.StringValue === undefined || value.StringValue === '') {
    throw refuse(`The message attribute '${name}' must contain a non-empty message attribute value.`);
  }
  if (type.startsWith('Number') && !Number.isFinite(Number(value.StringValue))) {
    throw refuse(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
  return { type, text: value.StringValue };
}

/** Bytes that count against MaximumMessageSize: the body and each attribute's name, type and value. */
export function messageBytes(body: string, attributes: StoredAttributes): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, { type, text, base64 }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(type);
    bytes += base64 === undefined ? Buffer.byteLength(text ?? '') : Buffer.byteLength(base64, 'base64');
  }
  return bytes;
}

/** Characters that XML 1.0 forbids, which SQS refuses in a body. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what is looked for.
const FORBIDDEN_CHARACTERS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;

export function checkBody(body: string): void {
  if (FORBIDDEN_CHARACTERS.test(body)) {
    throw new ServiceError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    );
  }
}

/** FIFO sequence numbers have 20 digits. */
export const sequenceNumber = (sequence: number): string => `1${String(sequence).padStart(19, '0')}`;

/** What a receive asks to see; the internal callers of the engine see everything. */
export interface Shown {
  systemAttribute(name: string): boolean;
  attribute(name: string): boolean;
}
export const everything: Shown = { systemAttribute: () => true, attribute: () => true };

export function shownByNames(
  systemNames: readonly string[] | undefined,
  names: readonly string[] | undefined,
): Shown {
  const system = new Set(systemNames ?? []);
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const name of names ?? []) {
    if (name === 'All' || name === '.*') prefixes.push('');
    else if (name.endsWith('.*')) prefixes.push(name.slice(0, -1));
    else exact.add(name);
  }
  return {
    systemAttribute: (name) => system.has('All') || system.has(name),
    attribute: (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  };
}

/** A received message in the SDK's shape. */
export function showMessage(
  message: QueuedMessage,
  receive: StoredReceive,
  senderId: string,
  shown: Shown,
): SdkMessage {
  const { stored } = message;
  const system: Record<string, string | undefined> = {
    SenderId: senderId,
    SentTimestamp: String(stored.sentAtMs),
    ApproximateReceiveCount: String(receive.count + (stored.receivedBefore ?? 0)),
    ApproximateFirstReceiveTimestamp: String(receive.firstAtMs),
    SequenceNumber: stored.deduplicationId === undefined ? undefined : sequenceNumber(stored.sequence),
    MessageDeduplicationId: stored.deduplicationId,
    MessageGroupId: stored.groupId,
    AWSTraceHeader: stored.traceHeader,
    DeadLetterQueueSourceArn: stored.sourceArn,
  };
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(system)) {
    if (value !== undefined && shown.systemAttribute(name)) attributes[name] = value;
  }
  const chosen: Record<string, StoredAttribute> = {};
  const messageAttributes: Record<string, MessageAttributeValue> = {};
  for (const [name, attribute] of Object.entries(stored.attributes)) {
    if (!shown.attribute(name)) continue;
    chosen[name] = attribute;
    messageAttributes[name] =
      attribute.base64 === undefined
        ? { DataType: attribute.type, StringValue: attribute.text }
        : { DataType: attribute.type, BinaryValue: Buffer.from(attribute.base64, 'base64') };
  }
  const chosenMd5 = attributesMd5(chosen);
  return {
    MessageId: stored.id,
    ReceiptHandle: receive.receipt,
    MD5OfBody: stored.bodyMd5,
    Body: stored.body,
    ...(Object.keys(attributes).length > 0 && { Attributes: attributes }),
    ...(chosenMd5 !== undefined && {
      MD5OfMessageAttributes: chosenMd5,
      MessageAttributes: messageAttributes,
    }),
  };
}
