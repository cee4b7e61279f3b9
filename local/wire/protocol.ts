import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../engine/service.ts';
import type { ShapeMismatch } from './convert.ts';
import type { OperationModel, ServiceModel } from './model.ts';

/** A request with its body read and unpacked. `path` is still percent-encoded, as labels need it. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WireReply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** An operation as a request names it. `model` is undefined when the service has no such operation. */
export interface Call {
  readonly operationName: string;
  readonly model: OperationModel | undefined;
  /** Form protocols have error codes of their own for bad input and unknown operations. */
  readonly isForm: boolean;
  /** Reads the SDK's input from the request. Throws ShapeMismatch. */
  readInput(): unknown;
  /** Throws ShapeMismatch when an engine returned something its own schema does not allow. */
  writeOutput(output: unknown, requestId: string): WireReply;
  writeError(error: ServiceError, requestId: string): WireReply;
}

/** One AWS protocol: finds the operation of a request and turns bytes into the SDK's shapes and back. */
export interface Protocol {
  call(service: ServiceModel, request: WireRequest): Call;
}

/** An error as its service answers it, whichever way it was thrown: by shape name or by the older query code. */
export interface DescribedError {
  readonly name: string;
  readonly queryCode: string;
  readonly statusCode: number;
  readonly queryStatusCode: number;
  readonly sender: boolean;
  readonly message: string;
  /** The member that carries the message; services spell it both ways. */
  readonly messageKey: string;
}

export function describeError(service: ServiceModel, error: ServiceError): DescribedError {
  const shape = service.errors.get(error.code);
  const traits = shape?.error;
  // 400 is a ServiceError's default: the schema may know better.
  const declared = error.statusCode === 400 ? traits?.statusCode : undefined;
  const statusCode = declared ?? error.statusCode;
  return {
    name: shape?.name ?? error.code,
    queryCode: traits?.queryCode ?? error.code,
    statusCode,
    queryStatusCode: traits?.queryStatusCode ?? statusCode,
    sender: statusCode < 500,
    message: error.message,
    messageKey: shape?.members.find((member) => /^message$/i.test(member.name))?.name ?? 'message',
  };
}

/** What a service answers when the input is not what its schema says. */
export function inputError(service: ServiceModel, mismatch: ShapeMismatch, isForm: boolean): ServiceError {
  if (isForm && mismatch.missing) {
    return new ServiceError('MissingParameter', `The request must contain the parameter ${mismatch.path}`);
  }
  if (isForm) return new ServiceError('InvalidParameterValue', mismatch.message);
  if (!mismatch.missing) return new ServiceError('SerializationException', mismatch.message);
  const code = VALIDATION_CODES.find((candidate) => service.errors.has(candidate)) ?? 'ValidationException';
  return new ServiceError(code, mismatch.message);
}

/** Names services give to "your input is not valid", the most telling first. */
const VALIDATION_CODES = [
  'ValidationException',
  'MissingRequiredParameterException',
  'InvalidParameterException',
  'InvalidParameterValueException',
];

/** What a service answers to an operation that it does not have, or that is not implemented here. */
export function unknownOperation(service: ServiceModel, name: string, isForm: boolean): ServiceError {
  if (isForm) {
    return new ServiceError(
      'InvalidAction',
      `The action ${name} is not valid for this web service: the embedded AWS does not implement it.`,
    );
  }
  return new ServiceError(
    'UnknownOperationException',
    `${name} is not an operation that the embedded AWS implements.`,
    service.protocol === 'rest-json' ? 404 : 400,
  );
}

/** Whether a service's newest clients speak a form protocol. */
export function speaksForm(service: ServiceModel): boolean {
  return service.protocol === 'query' || service.protocol === 'ec2-query';
}
