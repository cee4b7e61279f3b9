import fc from 'fast-check';

/** The part of JSON Schema that the schemas in `docs/schemas` use. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Larger values show no more and take longer. */
const MAX_ITEMS = 4;
const MAX_LENGTH = 40;

/** Values of a schema: legal as far as JSON Schema can say, which leaves out the rules between fields. */
export function ofSchema(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return fc.oneof(...choices.map(ofSchema));
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return objects(schema);
    case 'array':
      return lists(schema);
    case 'string':
      return strings(schema);
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? -1_000,
        max: Math.min(schema.maximum ?? 10_000, 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.jsonValue();
  }
}

function objects({ properties = {}, required = [], additionalProperties, ...schema }: Schema) {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, ofSchema(each)])),
    { requiredKeys: [...required] as never[] },
  );
  if (typeof additionalProperties !== 'object') return known;
  const more = fc.dictionary(
    strings(schema.propertyNames ?? { type: 'string' }),
    ofSchema(additionalProperties),
    { maxKeys: Math.min(schema.maxProperties ?? MAX_ITEMS, MAX_ITEMS) },
  );
  return fc.tuple(known, more).map(([named, others]) => ({ ...others, ...named }));
}

function lists({ items, prefixItems, minItems = 0, maxItems = MAX_ITEMS }: Schema) {
  if (prefixItems) return fc.tuple(...prefixItems.map(ofSchema));
  return fc.array(items ? ofSchema(items) : fc.jsonValue(), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, MAX_ITEMS)),
  });
}

const strings = ({ pattern, minLength = 0, maxLength = MAX_LENGTH }: Schema) =>
  pattern === undefined
    ? fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, MAX_LENGTH)) })
    : fc.stringMatching(new RegExp(pattern, 'u'));
