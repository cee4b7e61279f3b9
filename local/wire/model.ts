import { type Shape, type StructureShape, shapeOf } from './shape.ts';

/** The protocol a service's newest SDK speaks. Query and CBOR are offered beside JSON, for the clients that use them. */
export type ProtocolName = 'json1.0' | 'json1.1' | 'rest-json' | 'query' | 'ec2-query';

/** `POST /2015-03-31/functions/{FunctionName}/invocations`, and the status of success. */
export interface HttpTrait {
  readonly method: string;
  readonly uri: string;
  readonly statusCode: number;
}

export interface OperationModel {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  readonly http?: HttpTrait;
}

/** What the wire must know of one AWS service, read from its SDK package at run time. */
export interface ServiceModel {
  readonly signingName: string;
  readonly protocol: ProtocolName;
  /** What stands before the operation in X-Amz-Target, e.g. `AmazonEC2ContainerServiceV20141113`. */
  readonly serviceTarget: string;
  readonly xmlNamespace: string;
  /** The date in `Version=` of form requests; with the action it names the service of an unsigned one. */
  readonly version: string;
  /** The service moved from query to JSON and keeps its old error codes in a header for clients that know them. */
  readonly awsQueryCompatible: boolean;
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Error shapes by name and by their older query code. */
  readonly errors: ReadonlyMap<string, StructureShape>;
}

/** A module namespace: `import * as ecs from '@aws-sdk/client-ecs'`. */
export type SdkModule = Readonly<Record<string, unknown>>;

const PROTOCOLS: Readonly<Record<string, ProtocolName>> = {
  'aws.protocols#awsJson1_0': 'json1.0',
  'aws.protocols#awsJson1_1': 'json1.1',
  'aws.protocols#restJson1': 'rest-json',
  'aws.protocols#awsQuery': 'query',
  'aws.protocols#ec2Query': 'ec2-query',
};

/** Kinds of a static schema, its first element. */
const OPERATION = 9;
const ERROR = -3;

const models = new WeakMap<SdkModule, ServiceModel>();

/** Reads and keeps the model of an SDK package. Throws when the package is not an AWS SDK client this layer knows. */
export function modelOf(sdk: SdkModule): ServiceModel {
  const known = models.get(sdk);
  if (known !== undefined) return known;
  const model = readModel(sdk);
  models.set(sdk, model);
  return model;
}

function readModel(sdk: SdkModule): ServiceModel {
  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, StructureShape>();
  for (const exported of Object.values(sdk)) {
    if (!Array.isArray(exported)) continue;
    const schema: readonly unknown[] = exported;
    if (schema[0] === OPERATION) {
      const operation = operationOf(schema);
      operations.set(operation.name, operation);
    } else if (schema[0] === ERROR) {
      const shape = shapeOf(schema);
      if (shape.kind !== 'structure') continue;
      errors.set(shape.name, shape);
    }
  }
  // Some query codes are the names of other errors: names come first.
  for (const shape of [...errors.values()]) {
    const code = shape.error?.queryCode;
    if (code !== undefined && !errors.has(code)) errors.set(code, shape);
  }
  return { ...readSettings(sdk), operations, errors };
}

/** The operation an SDK schema such as `StartTask$` (or a command's `schema`) describes. */
export function operationOf(schema: readonly unknown[]): OperationModel {
  const [, , name, traits, input, output] = schema;
  const http = httpTrait(traits);
  return {
    name: String(name),
    input: shapeOf(input),
    output: shapeOf(output),
    ...(http === undefined ? {} : { http }),
  };
}

function httpTrait(traits: unknown): HttpTrait | undefined {
  if (typeof traits !== 'object' || traits === null || !('http' in traits)) return undefined;
  const http: unknown = traits.http;
  if (!Array.isArray(http)) return undefined;
  const [method, uri, statusCode]: readonly unknown[] = http;
  return { method: String(method), uri: String(uri), statusCode: Number(statusCode) };
}

interface ClientConfig {
  readonly protocol: { getShapeId(): string };
  readonly protocolSettings: {
    readonly serviceTarget: string;
    readonly xmlNamespace?: string;
    readonly version?: string;
    readonly awsQueryCompatible?: boolean;
  };
  readonly defaultSigningName: string;
}

/** The settings are not exported; a client that never sends anything holds them. */
function readSettings(sdk: SdkModule): Omit<ServiceModel, 'operations' | 'errors'> {
  const config = clientConfig(sdk);
  const shapeId = config.protocol.getShapeId();
  const protocol = PROTOCOLS[shapeId];
  if (protocol === undefined) throw new Error(`the wire does not speak ${shapeId}`);
  const settings = config.protocolSettings;
  const version = settings.version ?? '';
  return {
    signingName: config.defaultSigningName,
    protocol,
    serviceTarget: settings.serviceTarget,
    xmlNamespace:
      settings.xmlNamespace ?? `http://${config.defaultSigningName}.amazonaws.com/doc/${version}/`,
    version,
    awsQueryCompatible: settings.awsQueryCompatible ?? false,
  };
}

function clientConfig(sdk: SdkModule): ClientConfig {
  for (const [name, exported] of Object.entries(sdk)) {
    if (typeof exported !== 'function' || !name.endsWith('Client') || name.startsWith('_')) continue;
    const Client = exported as new (config: object) => { readonly config: ClientConfig };
    const credentials = { accessKeyId: 'unused', secretAccessKey: 'unused' };
    return new Client({ region: 'us-east-1', credentials }).config;
  }
  throw new Error('the module exports no SDK client');
}
