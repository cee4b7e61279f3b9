import type { InvokeCommandInput, InvokeCommandOutput } from '@aws-sdk/client-lambda';
import { type CallContext, ServiceError } from '../engine/service.ts';
import type { AsyncQueue } from './asyncQueue.ts';
import type { FunctionRecord } from './function.ts';
import type { Invoker } from './invoker.ts';

const MAX_SYNC_BYTES = 6_291_456;
/** One megabyte since October 2025; 256 KB before. */
const MAX_ASYNC_BYTES = 1_048_576;

/** The client takes more kinds of payload than a service receives. */
type Input = Omit<InvokeCommandInput, 'Payload'> & { readonly Payload?: Uint8Array };
type Answer = Omit<InvokeCommandOutput, '$metadata' | 'Payload'> & { Payload?: Uint8Array };

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

function payloadOf(input: Input, limitBytes: number): string {
  const bytes = Buffer.from(input.Payload ?? []);
  if (bytes.length > limitBytes) {
    throw new ServiceError(
      'RequestTooLargeException',
      `Request must be smaller than ${limitBytes} bytes for the InvokeFunction operation`,
      413,
      { Type: 'User' },
    );
  }
  const text = bytes.toString('utf8').trim();
  // The service hands an absent event to the handler as an empty object.
  if (text === '') return '{}';
  if (!isJson(text)) {
    throw new ServiceError('InvalidRequestContentException', 'Could not parse request body into json', 400, {
      Type: 'User',
    });
  }
  return text;
}

function clientContextOf(input: Input): { clientContext?: string } {
  if (!input.ClientContext) return {};
  const clientContext = Buffer.from(input.ClientContext, 'base64').toString('utf8');
  if (!isJson(clientContext)) {
    throw new ServiceError('InvalidRequestContentException', 'Could not parse ClientContext into json');
  }
  return { clientContext };
}

/** The Invoke operation: answers with the handler's result, accepts an event for later, or only checks. */
export const invokeOperation =
  (invoker: Invoker, queue: AsyncQueue, functionOf: (name?: string, qualifier?: string) => FunctionRecord) =>
  async (input: Input, call: CallContext): Promise<Answer> => {
    const fn = functionOf(input.FunctionName, input.Qualifier);
    const kind = input.InvocationType ?? 'RequestResponse';
    if (kind === 'DryRun') return { StatusCode: 204 };
    if (kind === 'Event') {
      queue.push(fn, payloadOf(input, MAX_ASYNC_BYTES), call.requestId, clientContextOf(input).clientContext);
      return { StatusCode: 202 };
    }
    if (kind !== 'RequestResponse') {
      throw new ServiceError('InvalidParameterValueException', `Unknown InvocationType ${String(kind)}`);
    }
    const payload = payloadOf(input, MAX_SYNC_BYTES);
    const invocation = await invoker.invoke(fn, {
      payload,
      requestId: call.requestId,
      ...clientContextOf(input),
    });
    return {
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      Payload: Buffer.from(invocation.payload),
      ...(invocation.status === 'success' ? {} : { FunctionError: 'Unhandled' }),
      ...(input.LogType === 'Tail' ? { LogResult: invocation.logTail } : {}),
    };
  };
