import { type CallContext, type Operations, type Service, ServiceError } from '../engine/service.ts';
import { accessKeyIdOf, hostLabelOf, signingNameOf, targetOf } from './address.ts';
import { cborProtocol } from './cborProtocol.ts';
import { ShapeMismatch } from './convert.ts';
import type { Gate } from './gate.ts';
import { jsonProtocol } from './jsonProtocol.ts';
import { modelOf, type SdkModule, type ServiceModel } from './model.ts';
import {
  type Call,
  inputError,
  type Protocol,
  unknownOperation,
  type WireReply,
  type WireRequest,
} from './protocol.ts';
import { ec2QueryProtocol, formOf, queryProtocol } from './queryProtocol.ts';
import { restProtocol } from './restProtocol.ts';
import { matchRoute } from './route.ts';

/** A service and the SDK package whose schemas describe it: `import * as ecs from '@aws-sdk/client-ecs'`. */
export interface ServiceBinding {
  readonly service: Service;
  readonly sdk: SdkModule;
}

interface BoundService {
  readonly operations: Operations;
  readonly model: ServiceModel;
}

/** Carries calls from requests to services. Whatever goes wrong in a service is an answer in the caller's protocol. */
export class Dispatcher {
  readonly #bySigningName = new Map<string, BoundService>();
  readonly #byTarget = new Map<string, BoundService>();
  readonly #log: (line: string) => void;
  readonly #gate: Gate | undefined;

  constructor(bindings: readonly ServiceBinding[], log: (line: string) => void, gate: Gate | undefined) {
    this.#log = log;
    this.#gate = gate;
    for (const { service, sdk } of bindings) {
      const model = modelOf(sdk);
      if (service.signingName !== model.signingName) {
        throw new Error(`service ${service.signingName} is bound to the SDK of ${model.signingName}`);
      }
      for (const name of Object.keys(service.operations)) {
        if (!model.operations.has(name)) throw new Error(`${service.signingName} has no operation ${name}`);
      }
      const bound = { operations: service.operations, model };
      this.#bySigningName.set(model.signingName, bound);
      this.#byTarget.set(model.serviceTarget, bound);
    }
  }

  get signingNames(): readonly string[] {
    return [...this.#bySigningName.keys()];
  }

  async answer(request: WireRequest, requestId: string, signal: AbortSignal): Promise<WireReply> {
    const bound = this.#find(request);
    if (bound === undefined) return unknownService(request, requestId);
    const call = protocolFor(bound.model, request).call(bound.model, request);
    const point = `${bound.model.signingName}.${call.operationName}`;
    try {
      const caller = accessKeyIdOf(request.headers, request.query);
      const output = await this.#run(bound, call, { requestId, signal }, caller);
      return call.writeOutput(output, requestId);
    } catch (error) {
      if (error instanceof ServiceError) return call.writeError(error, requestId);
      if (signal.aborted) return call.writeError(hungUp(), requestId);
      this.#log(
        `${point} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return call.writeError(internalFailure(), requestId);
    }
  }

  async #run(
    bound: BoundService,
    call: Call,
    context: CallContext,
    caller: string | undefined,
  ): Promise<unknown> {
    const operation = Object.hasOwn(bound.operations, call.operationName)
      ? bound.operations[call.operationName]
      : undefined;
    if (call.model === undefined || operation === undefined) {
      throw unknownOperation(bound.model, call.operationName, call.isForm);
    }
    const input = readInput(bound.model, call);
    if (caller !== undefined && this.#gate?.governs(caller)) {
      const { signingName } = bound.model;
      await this.#gate.check(caller, { signingName, operation: call.operationName, input });
    }
    return operation(input, context);
  }

  /** By signature first; the rest is for the few calls that clients do not sign. */
  #find(request: WireRequest): BoundService | undefined {
    const signed = signingNameOf(request.headers, request.query);
    if (signed !== undefined) return this.#bySigningName.get(signed);
    const target = targetOf(request.headers, request.path);
    if (target !== undefined) return this.#byTarget.get(target);
    const host = hostLabelOf(request.headers);
    const named = host === undefined ? undefined : this.#bySigningName.get(host);
    return named ?? this.#findByForm(request) ?? this.#findByRoute(request);
  }

  #findByForm(request: WireRequest): BoundService | undefined {
    const form = formOf(request);
    const action = form.get('Action');
    const version = form.get('Version');
    if (action === null || version === null) return undefined;
    const candidates = [...this.#bySigningName.values()];
    return candidates.find(({ model }) => model.version === version && model.operations.has(action));
  }

  /** A plain `curl` of a function's invocation, for one. */
  #findByRoute({ method, path, query }: WireRequest): BoundService | undefined {
    const candidates = [...this.#bySigningName.values()];
    return candidates.find(({ model }) => matchRoute(model, method, path, query) !== undefined);
  }
}

/** Apart from the call itself, so that a ShapeMismatch of an input cannot be taken for one of an output. */
function readInput(model: ServiceModel, call: Call): unknown {
  try {
    return call.readInput();
  } catch (error) {
    throw error instanceof ShapeMismatch ? inputError(model, error, call.isForm) : error;
  }
}

/** By what the client sent, not by what the newest SDK would: one service has clients of several ages. */
function protocolFor(model: ServiceModel, request: WireRequest): Protocol {
  if (request.headers['smithy-protocol'] === 'rpc-v2-cbor') return cborProtocol;
  if (request.headers['x-amz-target'] !== undefined) return jsonProtocol;
  if (model.protocol === 'rest-json') return restProtocol;
  return model.protocol === 'ec2-query' ? ec2QueryProtocol : queryProtocol;
}

function internalFailure(): ServiceError {
  return new ServiceError('InternalFailure', 'The request failed because of an internal error.', 500);
}

function hungUp(): ServiceError {
  return new ServiceError('RequestTimeout', 'The client closed the connection.', 408);
}

/** No service, so no protocol either: the forms most clients can read. */
function unknownService(request: WireRequest, requestId: string): WireReply {
  const name = signingNameOf(request.headers, request.query) ?? targetOf(request.headers, request.path);
  const message =
    name === undefined
      ? 'The request is not signed and says in no other way which service it is for.'
      : `The embedded AWS has no service ${name}.`;
  return {
    statusCode: 404,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': 'UnknownServiceException',
    },
    body: JSON.stringify({ __type: 'UnknownServiceException', message }),
  };
}
