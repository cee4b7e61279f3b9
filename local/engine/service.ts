import type { EngineClock } from './clock.ts';
import type { FaultPlan } from './faults.ts';
import type { EngineState } from './state.ts';

/** What every engine of the embedded AWS is given. Engines read time, ids and faults from here and nowhere else. */
export interface EngineContext {
  readonly region: string;
  readonly accountId: string;
  readonly clock: EngineClock;
  readonly state: EngineState;
  readonly faults: FaultPlan;
  /** `length` lower-case hex characters, unique within a run; seeded in the simulator. */
  hex(length: number): string;
  /** One line about something a person watching would want to know. */
  log(line: string): void;
}

/**
 * An error as the real service answers it. `code` is the service's own (e.g. `InvalidParameterException`,
 * `InvalidInstanceID.NotFound`); `statusCode` 4xx is the caller's fault.
 */
export class ServiceError extends Error {
  readonly code: string;
  readonly statusCode: number;
  /** Members of the error's own shape beside the message, e.g. CancellationReasons. */
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(
    code: string,
    message: string,
    statusCode = 400,
    fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.statusCode = statusCode;
    this.fields = fields;
  }
}

/** What a call carries beside its input. */
export interface CallContext {
  readonly requestId: string;
  /** Aborted when the caller hangs up: long polls must end then. */
  readonly signal?: AbortSignal;
}

/**
 * Operations by API name. Input and output are the SDK's own shapes (`RunTaskCommandInput` and so on), so that the
 * wire and the in-process client of the simulator both call `operations[name](input, call)`.
 */
// biome-ignore lint/suspicious/noExplicitAny: the map is heterogeneous; each entry is typed where it is declared.
export type Operations = Readonly<Record<string, (input: any, call: CallContext) => unknown>>;

/** One AWS service of the embedded AWS. What is not in `operations` answers with the service's own error. */
export interface Service {
  /** The signing name, which is how a request finds its service: `ecs`, `ec2`, `sqs`, `events`, `lambda`, `monitoring`, `sts`. */
  readonly signingName: string;
  readonly operations: Operations;
}

/** An event as EventBridge carries it; engines hand theirs to the event bus through `EventSink`. */
export interface AwsEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
  readonly resources: readonly string[];
  /** Epoch ms; the bus uses its own clock when absent. */
  readonly timeMs?: number;
}

/** How an engine (ECS, EC2, CloudWatch, Scheduler) puts an AWS event on the account's default bus. */
export interface EventSink {
  emit(event: AwsEvent): void;
}

/** An SQS or SNS message attribute that travels with a delivery. */
export interface DeliveredAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: Uint8Array;
}

/** What a queue needs beside the body; other targets ignore it. */
export interface DeliveryOptions {
  readonly messageGroupId?: string;
  readonly messageDeduplicationId?: string;
  readonly messageAttributes?: Readonly<Record<string, DeliveredAttribute>>;
}

/** Hands a body to an SQS queue, Lambda function or SNS topic, by ARN. Rejects when the target refuses it. */
export interface Deliverer {
  deliver(targetArn: string, body: string, options?: DeliveryOptions): Promise<void>;
}
