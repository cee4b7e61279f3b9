import type { ServiceError } from '../engine/service.ts';
import { convert, isRecord, ShapeMismatch } from './convert.ts';
import { jsonToSdk, sdkToJson } from './jsonCodec.ts';
import type { ServiceModel } from './model.ts';
import { type Call, describeError, type Protocol, type WireReply, type WireRequest } from './protocol.ts';

/** AWS JSON 1.0 and 1.1: everything in the body, the operation in X-Amz-Target. */
export const jsonProtocol: Protocol = {
  call(service: ServiceModel, request: WireRequest): Call {
    const target = String(request.headers['x-amz-target'] ?? '');
    const operationName = target.slice(target.lastIndexOf('.') + 1);
    const model = service.operations.get(operationName);
    const contentType = answerType(service, request);
    return {
      operationName,
      model,
      isForm: false,
      readInput: () => (model === undefined ? {} : convert(model.input, parseJson(request.body), jsonToSdk)),
      writeOutput(output, requestId) {
        const body = model === undefined ? {} : convert(model.output, output ?? {}, sdkToJson);
        return reply(200, contentType, requestId, JSON.stringify(body));
      },
      writeError: (error, requestId) => writeJsonError(service, error, requestId, contentType),
    };
  },
};

/** The client's own version of JSON if it named one, because some check what comes back. */
function answerType(service: ServiceModel, request: WireRequest): string {
  const asked = /application\/x-amz-json-1\.[01]/.exec(String(request.headers['content-type'] ?? ''))?.[0];
  return (
    asked ?? (service.protocol === 'json1.0' ? 'application/x-amz-json-1.0' : 'application/x-amz-json-1.1')
  );
}

/** An empty body stands for no members. Throws ShapeMismatch when it is not JSON. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ShapeMismatch('', 'the body is not valid JSON');
  }
}

function writeJsonError(
  service: ServiceModel,
  error: ServiceError,
  requestId: string,
  contentType: string,
): WireReply {
  const described = describeError(service, error);
  const body = { __type: described.name, ...jsonErrorMembers(service, error) };
  const answer = reply(described.statusCode, contentType, requestId, JSON.stringify(body));
  const headers: Record<string, string> = { ...answer.headers, 'x-amzn-errortype': described.name };
  if (service.awsQueryCompatible) {
    headers['x-amzn-query-error'] = `${described.queryCode};${described.sender ? 'Sender' : 'Receiver'}`;
  }
  return { ...answer, headers };
}

/** The members of an error: its message, and the fields its schema knows. */
export function jsonErrorMembers(service: ServiceModel, error: ServiceError): Record<string, unknown> {
  const { messageKey } = describeError(service, error);
  const shape = service.errors.get(error.code);
  const fields = shape === undefined ? {} : convert(shape, error.fields, sdkToJson);
  return { ...(isRecord(fields) ? fields : {}), [messageKey]: error.message };
}

function reply(statusCode: number, contentType: string, requestId: string, body: string): WireReply {
  return { statusCode, headers: { 'content-type': contentType, 'x-amzn-requestid': requestId }, body };
}
