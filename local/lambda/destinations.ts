import type { Deliverer, EngineContext } from '../engine/service.ts';
import type { FunctionRecord } from './function.ts';
import type { Invocation } from './invoker.ts';

/** An asynchronous event that has come to its end, one way or the other. */
export interface SettledEvent {
  readonly requestId: string;
  readonly payload: string;
  /** How often the handler was called with it. */
  readonly invokeCount: number;
  readonly condition: 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
  readonly invocation?: Invocation;
}

/** Sends the record of a settled event where the function's settings say; what cannot be sent is logged and dropped. */
export class Destinations {
  readonly #context: EngineContext;
  readonly #deliverer: Deliverer;

  constructor(context: EngineContext, deliverer: Deliverer) {
    this.#context = context;
    this.#deliverer = deliverer;
  }

  async settle(fn: FunctionRecord, event: SettledEvent): Promise<void> {
    const { onSuccessArn, onFailureArn, deadLetterArn } = fn.asyncInvoke;
    const destination = event.condition === 'Success' ? onSuccessArn : onFailureArn;
    if (destination) await this.#send(fn, destination, JSON.stringify(this.#record(fn, event)));
    // A dead-letter target gets the event as it came, without a word about the failure.
    if (deadLetterArn && event.condition !== 'Success') await this.#send(fn, deadLetterArn, event.payload);
  }

  #record(fn: FunctionRecord, event: SettledEvent): object {
    const { invocation } = event;
    const failed = invocation !== undefined && invocation.status !== 'success';
    return {
      version: '1.0',
      timestamp: new Date(this.#context.clock.now()).toISOString(),
      requestContext: {
        requestId: event.requestId,
        functionArn: `${fn.arn}:$LATEST`,
        condition: event.condition,
        approximateInvokeCount: event.invokeCount,
      },
      requestPayload: JSON.parse(event.payload),
      ...(invocation && {
        responseContext: {
          statusCode: 200,
          executedVersion: '$LATEST',
          ...(failed ? { functionError: 'Unhandled' } : {}),
        },
        responsePayload: JSON.parse(invocation.payload),
      }),
    };
  }

  async #send(fn: FunctionRecord, targetArn: string, body: string): Promise<void> {
    try {
      await this.#deliverer.deliver(targetArn, body);
    } catch (error) {
      this.#context.log(`lambda: ${fn.name} could not hand an event to ${targetArn}: ${String(error)}`);
    }
  }
}
