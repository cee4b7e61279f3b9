import type { QueueAttributeName } from '@aws-sdk/client-sqs';
import { ServiceError } from '../engine/service.ts';
import { invalidAttributeName, invalidAttributeValue } from './errors.ts';

export type QueueAttributes = Readonly<Partial<Record<QueueAttributeName, string>>>;

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** A queue's attributes as the engine uses them. */
export interface Settings {
  readonly fifo: boolean;
  readonly delayMs: number;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly receiveWaitMs: number;
  readonly maximumMessageBytes: number;
  readonly contentBasedDeduplication: boolean;
  readonly deduplicatePerGroup: boolean;
  readonly redrive: RedrivePolicy | undefined;
}

/** 1 MiB since August 2025 (256 KiB before): SendMessage in the SQS API reference. */
export const MAXIMUM_MESSAGE_BYTES = 1_048_576;

const numeric = {
  DelaySeconds: { least: 0, most: 900, normal: 0 },
  MaximumMessageSize: { least: 1024, most: MAXIMUM_MESSAGE_BYTES, normal: MAXIMUM_MESSAGE_BYTES },
  MessageRetentionPeriod: { least: 60, most: 1_209_600, normal: 345_600 },
  ReceiveMessageWaitTimeSeconds: { least: 0, most: 20, normal: 0 },
  VisibilityTimeout: { least: 0, most: 43_200, normal: 30 },
  KmsDataKeyReusePeriodSeconds: { least: 60, most: 86_400, normal: 300 },
} as const;
type NumericName = keyof typeof numeric;
const isNumeric = (name: string): name is NumericName => name in numeric;

const choices: Readonly<Record<string, readonly string[]>> = {
  FifoQueue: ['true', 'false'],
  ContentBasedDeduplication: ['true', 'false'],
  SqsManagedSseEnabled: ['true', 'false'],
  DeduplicationScope: ['messageGroup', 'queue'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
};
const fifoOnly = new Set([
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
]);
const free = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId']);

/** Refuses attributes that the real service refuses, without looking at other queues. */
export function checkAttributes(
  attributes: Readonly<Record<string, string | undefined>>,
  fifo: boolean,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (fifoOnly.has(name) && !fifo) throw invalidAttributeName(name);
    if (isNumeric(name)) {
      const { least, most } = numeric[name];
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < least || number > most) throw invalidAttributeValue(name);
    } else if (name in choices) {
      if (!choices[name]?.includes(value)) throw invalidAttributeValue(name);
    } else if (!free.has(name)) {
      throw invalidAttributeName(name);
    }
  }
}

function parseRedrive(text: string | undefined): RedrivePolicy | undefined {
  if (text === undefined || text === '') return undefined;
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw invalidAttributeValue('RedrivePolicy', 'Redrive policy is not a valid JSON map.');
  }
  if (typeof policy !== 'object' || policy === null) {
    throw invalidAttributeValue('RedrivePolicy', 'Redrive policy is not a valid JSON map.');
  }
  const { deadLetterTargetArn, maxReceiveCount } = policy as Readonly<Record<string, unknown>>;
  if (typeof deadLetterTargetArn !== 'string') {
    throw invalidRedrive(text, 'Redrive policy does not contain mandatory attribute: deadLetterTargetArn.');
  }
  if (maxReceiveCount === undefined) {
    throw invalidRedrive(text, 'Redrive policy does not contain mandatory attribute: maxReceiveCount.');
  }
  const count = Number(maxReceiveCount);
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw invalidRedrive(text, 'Invalid value for maxReceiveCount. Valid values are from 1 to 1000.');
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
}

export const invalidRedrive = (text: string, reason: string): ServiceError =>
  new ServiceError(
    'InvalidParameterValue',
    `Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
  );

export function parseSettings(attributes: QueueAttributes): Settings {
  const number = (name: NumericName): number => Number(attributes[name] ?? numeric[name].normal);
  return {
    fifo: attributes.FifoQueue === 'true',
    delayMs: number('DelaySeconds') * 1000,
    visibilityTimeoutMs: number('VisibilityTimeout') * 1000,
    retentionMs: number('MessageRetentionPeriod') * 1000,
    receiveWaitMs: number('ReceiveMessageWaitTimeSeconds') * 1000,
    maximumMessageBytes: number('MaximumMessageSize'),
    contentBasedDeduplication: attributes.ContentBasedDeduplication === 'true',
    deduplicatePerGroup: attributes.DeduplicationScope === 'messageGroup',
    redrive: parseRedrive(attributes.RedrivePolicy),
  };
}

/** Attributes with the defaults that GetQueueAttributes shows although nobody set them. */
export function shownAttributes(attributes: QueueAttributes): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name of Object.keys(numeric) as NumericName[]) {
    if (name !== 'KmsDataKeyReusePeriodSeconds') shown[name] = String(numeric[name].normal);
  }
  shown.SqsManagedSseEnabled = 'true';
  if (attributes.FifoQueue === 'true') {
    shown.ContentBasedDeduplication = 'false';
    shown.DeduplicationScope = 'queue';
    shown.FifoThroughputLimit = 'perQueue';
  }
  return { ...shown, ...attributes };
}
