import { ServiceError } from '../../engine/service.ts';

/** What a caller says about an event source mapping. */
export interface MappingSpec {
  readonly functionName: string;
  /** ARN of an SQS queue or of a DynamoDB table's stream. */
  readonly eventSourceArn: string;
  readonly enabled?: boolean;
  /** 10 for queues and 100 for streams when absent. */
  readonly batchSize?: number;
  readonly maximumBatchingWindowSeconds?: number;
  readonly reportBatchItemFailures?: boolean;
  /** Queues only, 2..1000. */
  readonly maximumConcurrency?: number;
  /** JSON texts of event patterns; a record that matches none of them is passed over. */
  readonly filterPatterns?: readonly string[];
  /** Streams only, from here on. */
  readonly startingPosition?: 'TRIM_HORIZON' | 'LATEST';
  readonly bisectBatchOnFunctionError?: boolean;
  /** -1 (when absent): until the record expires. */
  readonly maximumRetryAttempts?: number;
  /** -1 (when absent): until the record leaves the stream. */
  readonly maximumRecordAgeSeconds?: number;
  readonly onFailureArn?: string;
}

/** An event source mapping as the engine keeps it. */
export interface MappingRecord extends MappingSpec {
  readonly uuid: string;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly maximumBatchingWindowSeconds: number;
  readonly lastModifiedMs: number;
}

export const isStream = (arn: string): boolean => arn.split(':')[2] === 'dynamodb';
const isQueue = (arn: string): boolean => arn.split(':')[2] === 'sqs';
const isFifo = (arn: string): boolean => isQueue(arn) && arn.endsWith('.fifo');

const refuse = (message: string): ServiceError =>
  new ServiceError('InvalidParameterValueException', message, 400, { Type: 'User' });

function within(name: string, value: number | undefined, low: number, high: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= low && value <= high)) return;
  throw refuse(`${name} must be a whole number between ${low} and ${high}, not ${value}.`);
}

const STREAM_ONLY = [
  'startingPosition',
  'bisectBatchOnFunctionError',
  'maximumRetryAttempts',
  'maximumRecordAgeSeconds',
  'onFailureArn',
] as const;

/** Checks a mapping against the service's limits and fills in its defaults. */
export function mappingRecord(spec: MappingSpec, uuid: string, nowMs: number): MappingRecord {
  const { eventSourceArn } = spec;
  const stream = isStream(eventSourceArn);
  if (!stream && !isQueue(eventSourceArn)) throw refuse(`Unrecognized event source: ${eventSourceArn}.`);
  const batchSize = spec.batchSize ?? (stream ? 100 : 10);
  const windowSeconds = spec.maximumBatchingWindowSeconds ?? 0;
  within('BatchSize', batchSize, 1, isFifo(eventSourceArn) ? 10 : 10_000);
  within('MaximumBatchingWindowInSeconds', windowSeconds, 0, 300);
  within('MaximumConcurrency', spec.maximumConcurrency, 2, 1000);
  within('MaximumRetryAttempts', spec.maximumRetryAttempts, -1, 10_000);
  within('MaximumRecordAgeInSeconds', spec.maximumRecordAgeSeconds, -1, 604_800);
  if (isFifo(eventSourceArn) && windowSeconds > 0)
    throw refuse('Batching window is not supported for FIFO queues.');
  if (!stream && batchSize > 10 && windowSeconds === 0) {
    throw refuse(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    );
  }
  if (stream && !spec.startingPosition) throw refuse('StartingPosition is required for streams.');
  if (stream && spec.maximumConcurrency !== undefined) throw refuse('ScalingConfig is for queues only.');
  const misplaced = stream ? undefined : STREAM_ONLY.find((name) => spec[name] !== undefined);
  if (misplaced) throw refuse(`Unsupported parameter for a queue: ${misplaced}.`);
  return {
    ...spec,
    uuid,
    enabled: spec.enabled ?? true,
    batchSize,
    maximumBatchingWindowSeconds: windowSeconds,
    lastModifiedMs: nowMs,
  };
}
