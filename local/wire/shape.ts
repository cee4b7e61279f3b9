import { NormalizedSchema } from '@smithy/core/schema';

/** The forms a timestamp takes as text; a protocol has its own default where the schema names none. */
export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds';

/** Where REST protocols carry a member; `body` is every other protocol's only place. */
export type Binding =
  | { readonly in: 'body' }
  | { readonly in: 'label' }
  | { readonly in: 'query'; readonly name: string }
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'payload' }
  | { readonly in: 'status' };

/** A named place for a value: a structure's member, a list's element, a map's key or value. */
export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  readonly xmlName?: string;
  readonly ec2QueryName?: string;
  /** Lists and maps without the element that wraps their entries (XML and query protocols). */
  readonly xmlFlattened: boolean;
  readonly binding: Binding;
}

export interface StructureShape {
  readonly kind: 'structure';
  readonly name: string;
  /** A union holds exactly one of its members. */
  readonly isUnion: boolean;
  readonly members: readonly Member[];
  /** AWS status and code of an error; undefined for other structures. */
  readonly error?: ErrorTraits;
}

/** `queryCode` and `queryStatusCode` differ from the shape's name where a service moved from the query protocol to JSON. */
export interface ErrorTraits {
  readonly fault: 'client' | 'server';
  readonly statusCode?: number;
  readonly queryCode?: string;
  readonly queryStatusCode?: number;
}

export type Shape =
  | StructureShape
  | { readonly kind: 'list'; readonly element: Member; readonly sparse: boolean }
  | { readonly kind: 'map'; readonly key: Member; readonly value: Member; readonly sparse: boolean }
  | { readonly kind: 'timestamp'; readonly format?: TimestampFormat }
  | {
      readonly kind: 'string' | 'number' | 'boolean' | 'blob' | 'document' | 'unit';
    };

type Traits = Readonly<Record<string, unknown>>;

/** Compiled shapes by raw schema: schemas refer to each other in circles, and one is read on every call. */
const compiled = new WeakMap<object, Shape>();

/** The shape an SDK schema (`RunTaskRequest$`, or what `StartTask$[4]` returns) describes. */
export function shapeOf(schema: unknown): Shape {
  return compile(NormalizedSchema.of(schema as Parameters<typeof NormalizedSchema.of>[0]));
}

function compile(schema: NormalizedSchema): Shape {
  const raw: unknown = schema.getSchema();
  if (typeof raw !== 'object' || raw === null) return build(schema, raw);
  const known = compiled.get(raw);
  if (known !== undefined) return known;
  const shape = build(schema, raw);
  compiled.set(raw, shape);
  return shape;
}

function build(schema: NormalizedSchema, raw: unknown): Shape {
  if (schema.isStructSchema()) return buildStructure(schema, raw);
  if (schema.isListSchema()) return buildList(schema);
  if (schema.isMapSchema()) return buildMap(schema);
  if (schema.isTimestampSchema()) return buildTimestamp(raw);
  if (schema.isStringSchema()) return { kind: 'string' };
  if (schema.isNumericSchema()) return { kind: 'number' };
  if (schema.isBooleanSchema()) return { kind: 'boolean' };
  if (schema.isBlobSchema()) return { kind: 'blob' };
  if (schema.isDocumentSchema()) return { kind: 'document' };
  if (schema.isUnitSchema()) return { kind: 'unit' };
  // Big integers and decimals: no service here uses one, and a wrong guess would lose digits in silence.
  throw new Error(`no shape for schema ${schema.getName(true)}`);
}

/** Members are compiled when first read, because a structure may contain itself. */
function buildStructure(schema: NormalizedSchema, raw: unknown): StructureShape {
  let members: readonly Member[] | undefined;
  // A static schema is [kind, namespace, name, traits, names, schemas, required]; required members come first.
  const required = Array.isArray(raw) && typeof raw[6] === 'number' ? raw[6] : 0;
  const error = errorTraits(schema.getMergedTraits() as Traits);
  return {
    kind: 'structure',
    name: schema.getName() ?? '',
    isUnion: schema.isUnionSchema(),
    get members() {
      members ??= [...schema.structIterator()].map(([name, member], index) =>
        toMember(name, member, index < required),
      );
      return members;
    },
    ...(error === undefined ? {} : { error }),
  };
}

function buildList(schema: NormalizedSchema): Shape {
  let element: Member | undefined;
  return {
    kind: 'list',
    get element() {
      element ??= toMember('member', schema.getValueSchema(), false);
      return element;
    },
    sparse: Boolean((schema.getMergedTraits() as Traits).sparse),
  };
}

function buildMap(schema: NormalizedSchema): Shape {
  let key: Member | undefined;
  let value: Member | undefined;
  return {
    kind: 'map',
    get key() {
      key ??= toMember('key', schema.getKeySchema(), true);
      return key;
    },
    get value() {
      value ??= toMember('value', schema.getValueSchema(), false);
      return value;
    },
    sparse: Boolean((schema.getMergedTraits() as Traits).sparse),
  };
}

/** 4 is a timestamp in the protocol's default form; 5, 6 and 7 name one. */
function buildTimestamp(raw: unknown): Shape {
  if (raw === 5) return { kind: 'timestamp', format: 'date-time' };
  if (raw === 6) return { kind: 'timestamp', format: 'http-date' };
  if (raw === 7) return { kind: 'timestamp', format: 'epoch-seconds' };
  return { kind: 'timestamp' };
}

function toMember(name: string, schema: NormalizedSchema, required: boolean): Member {
  const traits = schema.getMergedTraits() as Traits;
  const xmlName = text(traits.xmlName);
  const ec2QueryName = text(traits.ec2QueryName);
  return {
    name,
    shape: compile(schema),
    required,
    ...(xmlName === undefined ? {} : { xmlName }),
    ...(ec2QueryName === undefined ? {} : { ec2QueryName }),
    xmlFlattened: Boolean(traits.xmlFlattened),
    binding: bindingOf(traits),
  };
}

function bindingOf(traits: Traits): Binding {
  const query = text(traits.httpQuery);
  const header = text(traits.httpHeader);
  if (traits.httpLabel) return { in: 'label' };
  if (query !== undefined) return { in: 'query', name: query };
  if (header !== undefined) return { in: 'header', name: header.toLowerCase() };
  if (traits.httpPayload) return { in: 'payload' };
  if (traits.httpResponseCode) return { in: 'status' };
  return { in: 'body' };
}

function errorTraits(traits: Traits): ErrorTraits | undefined {
  const fault = traits.error;
  if (fault !== 'client' && fault !== 'server') return undefined;
  const query: unknown = traits.awsQueryError;
  const [queryCode, queryStatusCode]: readonly unknown[] = Array.isArray(query) ? query : [];
  return {
    fault,
    ...(typeof traits.httpError === 'number' ? { statusCode: traits.httpError } : {}),
    ...(typeof queryCode === 'string' ? { queryCode } : {}),
    ...(typeof queryStatusCode === 'number' ? { queryStatusCode } : {}),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
