import { cbor } from '@smithy/core/cbor';
import { cborToSdk, sdkToCbor } from './cborCodec.ts';
import { convert, isRecord, ShapeMismatch } from './convert.ts';
import type { ServiceModel } from './model.ts';
import { type Call, describeError, type Protocol, type WireReply, type WireRequest } from './protocol.ts';

/** Smithy RPC v2 CBOR, which newer CloudWatch clients choose: the operation is in the path. */
export const cborProtocol: Protocol = {
  call(service: ServiceModel, request: WireRequest): Call {
    const operationName = /\/operation\/([^/]+)\/?$/.exec(request.path)?.[1] ?? '';
    const model = service.operations.get(operationName);
    return {
      operationName,
      model,
      isForm: false,
      readInput: () => (model === undefined ? {} : convert(model.input, parseCbor(request.body), cborToSdk)),
      writeOutput: (output, requestId) =>
        reply(200, requestId, model === undefined ? {} : convert(model.output, output ?? {}, sdkToCbor)),
      writeError(error, requestId) {
        const described = describeError(service, error);
        const shape = service.errors.get(error.code);
        const fields = shape === undefined ? {} : convert(shape, error.fields, sdkToCbor);
        const answer = reply(described.statusCode, requestId, {
          ...(isRecord(fields) ? fields : {}),
          __type: described.name,
          [described.messageKey]: described.message,
        });
        if (!service.awsQueryCompatible) return answer;
        const fault = described.sender ? 'Sender' : 'Receiver';
        return {
          ...answer,
          headers: { ...answer.headers, 'x-amzn-query-error': `${described.queryCode};${fault}` },
        };
      },
    };
  },
};

function parseCbor(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return cbor.deserialize(body);
  } catch {
    throw new ShapeMismatch('', 'the body is not valid CBOR');
  }
}

function reply(statusCode: number, requestId: string, value: unknown): WireReply {
  return {
    statusCode,
    headers: {
      'content-type': 'application/cbor',
      'smithy-protocol': 'rpc-v2-cbor',
      'x-amzn-requestid': requestId,
    },
    body: cbor.serialize(value),
  };
}
