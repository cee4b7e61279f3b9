import middy, { type MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { BaseDeps } from './deps.ts';
import { type Refusal, RefusedInput } from './refusedInput.ts';

type Telemetry = Pick<BaseDeps, 'log' | 'metrics' | 'clock'>;

/** Time kept at the end of an invocation to say that it ran out, and to write the metrics. */
const TIMEOUT_RESERVE_MS = 250;

export type LambdaHandler<E, R> = (event: E, context: Context) => Promise<R>;

const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Every line of the invocation knows its request; the event itself is only for who looks closely. */
function describeInvocation({ log }: Telemetry): MiddlewareObj {
  return {
    before: ({ event, context }) => {
      log.begin(context);
      log.debug('Invoked', { event });
    },
  };
}

/** Cold starts and the handler's time, and the flush of all metrics, whether the handler returns or throws. */
function measure({ metrics, clock }: Telemetry): MiddlewareObj {
  let cold = true;
  let startedAt = 0;
  const end = ({ context }: { readonly context: Context }) => {
    metrics.sample('Duration', clock.now() - startedAt, 'Milliseconds', { function: context.functionName });
    metrics.flush();
  };
  return {
    before: ({ context }) => {
      startedAt = clock.now();
      if (cold) metrics.count('ColdStarts', 1, { function: context.functionName });
      cold = false;
    },
    after: end,
    onError: end,
  };
}

/** A refused input is answered; anything else is thrown on, so that Lambda counts an error and the alarm rings. */
function classifyErrors({ log, metrics }: Telemetry): MiddlewareObj<unknown, unknown, Error> {
  return {
    onError: (request) => {
      const error = toError(request.error);
      if (error instanceof RefusedInput) {
        log.warn('Refused', { problems: error.problems });
        metrics.count('RefusedInputs');
        request.response = { outcome: 'refused', problems: error.problems } satisfies Refusal;
        return;
      }
      log.error('Unexpected error', { error });
      metrics.count('UnexpectedErrors', 1, { function: request.context.functionName });
    },
  };
}

/**
 * The one stack around every function. `handler` gets the event as Lambda gives it and may throw `RefusedInput`, whose
 * refusal becomes the answer.
 */
export function wrap<E, R>(
  telemetry: Telemetry,
  handler: LambdaHandler<E, R>,
): LambdaHandler<E, R | Refusal> {
  // Errors run through the stack from the last to the first: they are counted before the metrics are written.
  const wrapped = middy<E, R>(handler, { timeoutEarlyInMillis: TIMEOUT_RESERVE_MS })
    .use(describeInvocation(telemetry))
    .use(measure(telemetry))
    .use(classifyErrors(telemetry));
  return (event, context) => wrapped(event, context) as Promise<R | Refusal>;
}
