import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import type { Fault } from '../engine/faults.ts';
import {
  type DeliveredAttribute,
  type Deliverer,
  type DeliveryOptions,
  type EngineContext,
  ServiceError,
} from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { classify, type Failure, InvalidInput } from './failure.ts';

/** How long a delivery is tried again. */
export interface RetryLimits {
  readonly maximumRetries: number;
  readonly maximumAgeMs: number;
}

/** A message attribute as JSON holds it. */
export interface ShippedAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly base64?: string;
}

export interface Parcel {
  readonly targetArn: string;
  readonly body: string;
  readonly messageGroupId?: string;
  readonly messageDeduplicationId?: string;
  readonly messageAttributes?: Readonly<Record<string, ShippedAttribute>>;
  readonly limits: RetryLimits;
  /** Why no body could be made: it becomes a dead letter without an attempt. */
  readonly unusable?: string;
  /** Where it goes when it cannot be delivered; `body` is its own where nothing else is given. */
  readonly deadLetter?: {
    readonly arn: string;
    readonly body?: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
  /** What a fault plan is asked about, e.g. the name of the rule. */
  readonly faultDetail?: string;
  /** The real service gives it only its best effort, so an injected loss is honest. */
  readonly bestEffort?: boolean;
}

/** A parcel on its way, as it is stored. */
export interface Shipment extends Parcel {
  readonly id: string;
  readonly createdAtMs: number;
  /** Attempts that failed. */
  readonly failures: number;
  readonly nextAtMs: number;
}

export interface OutboxOptions {
  /** Also the name of the collection of what is under way. */
  readonly name: string;
  readonly deliverer: Deliverer;
  /** Asked before every attempt. */
  readonly faultPoint: string;
  /** What this service writes into the attributes of a dead letter. `exhausted` is the limit that ended the retries. */
  readonly describe: (
    shipment: Shipment,
    failure: Failure,
    exhausted: string | undefined,
  ) => Record<string, string>;
  /** The body of one attempt, where it is not the same for all. */
  readonly bodyOf?: (shipment: Shipment) => string;
  /** The ceiling of the wait between attempts. */
  readonly longestWaitMs: number;
}

const FIRST_WAIT_MS = 1000;

/**
 * Delivers at least once: a parcel is stored before `ship` returns and forgotten only when its target has taken it, it is
 * a dead letter, or its retries are used up. What a killed process left is tried again by the next one.
 */
export class Outbox {
  private readonly context: EngineContext;
  private readonly options: OutboxOptions;
  private readonly shipments: Collection<Shipment>;
  private readonly waiting = new Deadlines<Shipment>();
  private readonly timer: WakeTimer;
  private started = false;
  /** Shipments that an injected delay has held up once. */
  private readonly delayed = new Set<string>();

  constructor(context: EngineContext, options: OutboxOptions) {
    this.context = context;
    this.options = options;
    this.shipments = context.state.collection(options.name);
    this.timer = new WakeTimer(context.clock, () => this.wake());
    for (const shipment of this.shipments.values()) this.wait(shipment);
  }

  /** Begins to deliver. Before, parcels are only stored: a target that is not made yet would look like one that is gone. */
  start(): void {
    this.started = true;
    this.wake();
  }

  /** Stores the parcel and, once started, tries it at once. */
  ship(parcel: Parcel): void {
    const nowMs = this.context.clock.now();
    const id = this.context.hex(24);
    const shipment: Shipment = { ...parcel, id, createdAtMs: nowMs, failures: 0, nextAtMs: nowMs };
    this.shipments.set(id, shipment);
    if (this.started) void this.attempt(shipment);
    else this.wait(shipment);
  }

  /** Deliveries that are not settled. */
  get size(): number {
    return this.shipments.size;
  }

  stop(): void {
    this.started = false;
    this.timer.stop();
    this.waiting.clear();
  }

  private wait(shipment: Shipment): void {
    this.waiting.add(shipment, shipment.nextAtMs);
    if (this.started) this.timer.need(shipment.nextAtMs);
  }

  private wake(): void {
    const nowMs = this.context.clock.now();
    for (let due = this.waiting.takeDue(nowMs); due !== undefined; due = this.waiting.takeDue(nowMs)) {
      void this.attempt(due);
    }
    this.timer.need(this.waiting.earliestMs);
  }

  private async attempt(shipment: Shipment): Promise<void> {
    if (shipment.unusable !== undefined) {
      await this.failed(shipment, classify(new InvalidInput(shipment.unusable)));
      return;
    }
    const fault = this.context.faults.at(this.options.faultPoint, shipment.faultDetail);
    if (fault?.kind === 'drop' && shipment.bestEffort === true) {
      this.context.log(`${this.options.name}: dropped a delivery to ${shipment.targetArn} on demand`);
      this.forget(shipment);
      return;
    }
    if (fault?.kind === 'delay' && !this.delayed.has(shipment.id)) {
      this.delayed.add(shipment.id);
      this.wait({ ...shipment, nextAtMs: this.context.clock.now() + fault.delayMs });
      return;
    }
    try {
      await this.deliver(shipment, fault);
    } catch (error) {
      await this.failed(shipment, classify(error));
      return;
    }
    this.forget(shipment);
  }

  private async deliver(shipment: Shipment, fault: Fault | undefined): Promise<void> {
    if (fault?.kind === 'error') throw new ServiceError(fault.code, fault.message, fault.statusCode);
    const body = this.bodyOf(shipment);
    const copies = fault?.kind === 'duplicate' ? fault.copies : 0;
    for (let copy = 0; copy <= copies; copy++) {
      await this.options.deliverer.deliver(shipment.targetArn, body, deliveryOptions(shipment));
    }
    if (fault?.kind === 'lost-answer') throw new ServiceError('InternalFailure', 'The answer was lost.', 500);
  }

  private async failed(shipment: Shipment, failure: Failure): Promise<void> {
    const { clock } = this.context;
    const { maximumRetries, maximumAgeMs } = shipment.limits;
    const failures = shipment.failures + 1;
    if (!failure.retriable) return this.giveUp(shipment, failure, undefined);
    if (failures > maximumRetries) return this.giveUp(shipment, failure, 'MaximumRetryAttempts');
    const nextAtMs = clock.now() + this.backOffMs(failures);
    if (nextAtMs > shipment.createdAtMs + maximumAgeMs) {
      return this.giveUp(shipment, failure, 'MaximumEventAgeInSeconds');
    }
    const next: Shipment = { ...shipment, failures, nextAtMs };
    this.shipments.set(next.id, next);
    this.wait(next);
  }

  /** Doubles up to the ceiling; the jitter takes away up to half. */
  private backOffMs(failures: number): number {
    const fullMs = Math.min(this.options.longestWaitMs, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20));
    const jitter = Number.parseInt(this.context.hex(8), 16) / 0x1_0000_0000;
    return Math.ceil(fullMs * (1 - jitter / 2));
  }

  private async giveUp(shipment: Shipment, failure: Failure, condition: string | undefined): Promise<void> {
    const { name, deliverer, describe } = this.options;
    const { deadLetter, targetArn } = shipment;
    this.context.log(`${name}: gave up a delivery to ${targetArn}: ${failure.code}: ${failure.message}`);
    if (deadLetter !== undefined) {
      const text = { ...deadLetter.attributes, ...describe(shipment, failure, condition) };
      const messageAttributes: Record<string, DeliveredAttribute> = {
        ...deliveryOptions(shipment).messageAttributes,
      };
      for (const [key, value] of Object.entries(text)) {
        messageAttributes[key] = { DataType: 'String', StringValue: value };
      }
      try {
        await deliverer.deliver(deadLetter.arn, deadLetter.body ?? this.bodyOf(shipment), {
          messageAttributes,
        });
      } catch (error) {
        // The real service drops an event that its dead-letter queue refuses, too.
        this.context.log(
          `${name}: lost: the dead-letter queue ${deadLetter.arn} refused it: ${String(error)}`,
        );
      }
    }
    this.forget(shipment);
  }

  private bodyOf(shipment: Shipment): string {
    return this.options.bodyOf?.(shipment) ?? shipment.body;
  }

  private forget({ id }: Shipment): void {
    this.shipments.delete(id);
    this.delayed.delete(id);
  }
}

function deliveryOptions(shipment: Shipment): DeliveryOptions {
  const { messageGroupId, messageDeduplicationId, messageAttributes } = shipment;
  return {
    ...(messageGroupId !== undefined && { messageGroupId }),
    ...(messageDeduplicationId !== undefined && { messageDeduplicationId }),
    ...(messageAttributes !== undefined && { messageAttributes: attributesOf(messageAttributes) }),
  };
}

function attributesOf(
  shipped: Readonly<Record<string, ShippedAttribute>>,
): Record<string, DeliveredAttribute> {
  const attributes: Record<string, DeliveredAttribute> = {};
  for (const [name, { DataType, StringValue, base64 }] of Object.entries(shipped)) {
    attributes[name] = {
      DataType,
      ...(StringValue !== undefined && { StringValue }),
      ...(base64 !== undefined && { BinaryValue: Buffer.from(base64, 'base64') }),
    };
  }
  return attributes;
}
