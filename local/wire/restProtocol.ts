import type { ServiceError } from '../engine/service.ts';
import { convert, isRecord, ShapeMismatch } from './convert.ts';
import { leafFromText } from './formReader.ts';
import { jsonToSdk, sdkToJson } from './jsonCodec.ts';
import { jsonErrorMembers, parseJson } from './jsonProtocol.ts';
import { textFromDate } from './leaf.ts';
import type { OperationModel, ServiceModel } from './model.ts';
import { type Call, describeError, type Protocol, type WireReply, type WireRequest } from './protocol.ts';
import { matchRoute } from './route.ts';
import type { Member, Shape, StructureShape } from './shape.ts';
import { textFromLeaf } from './xmlWriter.ts';

/** REST-JSON: members in the path, the query string, headers and the body. */
export const restProtocol: Protocol = {
  call(service: ServiceModel, request: WireRequest): Call {
    const match = matchRoute(service, request.method, request.path, request.query);
    const model = match?.operation;
    return {
      operationName: model?.name ?? `${request.method} ${request.path}`,
      model,
      isForm: false,
      readInput: () => (match === undefined ? {} : readInput(match.operation, match.labels, request)),
      writeOutput: (output, requestId) => writeOutput(model, output ?? {}, requestId),
      writeError: (error, requestId) => writeError(service, error, requestId),
    };
  },
};

function readInput(
  operation: OperationModel,
  labels: ReadonlyMap<string, string>,
  request: WireRequest,
): unknown {
  if (operation.input.kind !== 'structure') return {};
  const split = splitBody(operation.input);
  const input: Record<string, unknown> = {};
  if (split.body.members.length > 0) {
    Object.assign(input, convert(split.body, parseJson(request.body), jsonToSdk));
  }
  for (const member of split.outside) {
    const value = readOutside(member, labels, request);
    if (value !== undefined) input[member.name] = value;
    else if (member.required) throw new ShapeMismatch(member.name, 'is required', true);
  }
  return input;
}

function readOutside(member: Member, labels: ReadonlyMap<string, string>, request: WireRequest): unknown {
  switch (member.binding.in) {
    case 'label':
      return readText(member, member.shape, labels.get(member.name));
    case 'query':
      if (member.shape.kind === 'list') {
        const texts = request.query.getAll(member.binding.name);
        const { shape } = member.shape.element;
        return texts.length === 0 ? undefined : texts.map((text) => readText(member, shape, text));
      }
      return readText(member, member.shape, request.query.get(member.binding.name) ?? undefined);
    case 'header': {
      const header = request.headers[member.binding.name];
      return readText(member, member.shape, Array.isArray(header) ? header.join(',') : header);
    }
    case 'payload':
      return readPayload(member.shape, request.body);
    default:
      return undefined;
  }
}

function readText(member: Member, shape: Shape, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return leafFromText(shape, text);
  } catch (error) {
    throw new ShapeMismatch(member.name, error instanceof Error ? error.message : String(error));
  }
}

function readPayload(shape: Shape, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (shape.kind === 'blob') return new Uint8Array(body);
  if (shape.kind === 'string') return body.toString('utf8');
  return convert(shape, parseJson(body), jsonToSdk);
}

function writeOutput(model: OperationModel | undefined, output: unknown, requestId: string): WireReply {
  let statusCode = model?.http?.statusCode ?? 200;
  const headers: Record<string, string> = { 'x-amzn-requestid': requestId };
  if (model === undefined || model.output.kind !== 'structure' || !isRecord(output)) {
    return { statusCode, headers, body: '' };
  }
  const split = splitBody(model.output);
  let payload: string | Uint8Array | undefined;
  for (const member of split.outside) {
    const value = output[member.name];
    if (value === undefined || value === null) continue;
    if (member.binding.in === 'status') statusCode = Number(value);
    else if (member.binding.in === 'header') headers[member.binding.name] = headerText(member, value);
    else if (member.binding.in === 'payload') payload = writePayload(member.shape, value);
  }
  if (split.outside.some((member) => member.binding.in === 'payload')) {
    return { statusCode, headers, body: payload ?? '' };
  }
  // A 204 has no body at all: clients would take the bytes for the start of the next answer.
  if (statusCode === 204) return { statusCode, headers, body: '' };
  headers['content-type'] = 'application/json';
  return { statusCode, headers, body: JSON.stringify(convert(split.body, output, sdkToJson)) };
}

function headerText(member: Member, value: unknown): string {
  const { shape } = member;
  if (shape.kind === 'timestamp') return textFromDate(value, shape.format ?? 'http-date');
  try {
    return textFromLeaf(shape, value);
  } catch (error) {
    throw new ShapeMismatch(member.name, error instanceof Error ? error.message : String(error));
  }
}

function writePayload(shape: Shape, value: unknown): string | Uint8Array {
  if (shape.kind === 'string' && typeof value === 'string') return value;
  if (shape.kind === 'blob' && value instanceof Uint8Array) return value;
  if (shape.kind === 'blob' && typeof value === 'string') return value;
  return JSON.stringify(convert(shape, value, sdkToJson));
}

function writeError(service: ServiceModel, error: ServiceError, requestId: string): WireReply {
  const described = describeError(service, error);
  const members = { Type: described.sender ? 'User' : 'Service', ...jsonErrorMembers(service, error) };
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-amzn-requestid': requestId,
    'x-amzn-errortype': described.name,
  };
  // Lambda's TooManyRequestsException says in a header when to come back.
  for (const member of service.errors.get(error.code)?.members ?? []) {
    const value = error.fields[member.name];
    if (member.binding.in !== 'header' || value === undefined || value === null) continue;
    headers[member.binding.name] = headerText(member, value);
  }
  return { statusCode: described.statusCode, headers, body: JSON.stringify(members) };
}

interface SplitShape {
  readonly body: StructureShape;
  readonly outside: readonly Member[];
}

const splits = new WeakMap<StructureShape, SplitShape>();

/** A structure's members that travel in the JSON body, and those that travel elsewhere. */
function splitBody(shape: StructureShape): SplitShape {
  const known = splits.get(shape);
  if (known !== undefined) return known;
  const split: SplitShape = {
    body: {
      kind: 'structure',
      name: shape.name,
      isUnion: shape.isUnion,
      members: shape.members.filter((member) => member.binding.in === 'body'),
    },
    outside: shape.members.filter((member) => member.binding.in !== 'body'),
  };
  splits.set(shape, split);
  return split;
}
