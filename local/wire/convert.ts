import type { Shape, StructureShape, TimestampFormat } from './shape.ts';

/** A value that is not what its schema says. `path` leads to it from the root, e.g. `overrides.containerOverrides[0].name`. */
export class ShapeMismatch extends Error {
  readonly path: string;
  /** A required member is absent, as opposed to a value of the wrong type: services answer the two differently. */
  readonly missing: boolean;
  constructor(path: string, problem: string, missing = false) {
    super(path === '' ? problem : `${path}: ${problem}`);
    this.name = 'ShapeMismatch';
    this.path = path;
    this.missing = missing;
  }
}

/** Turns one leaf into its other form; throws a plain Error that says what it wanted when the value is not one. */
type Leaf = (value: unknown) => unknown;

/**
 * One direction of one encoding: SDK values to JSON, JSON to SDK values, and so on. `convert` walks the schema; a
 * codec says only how leaves change.
 */
export interface Codec {
  readonly string: Leaf;
  readonly number: Leaf;
  readonly boolean: Leaf;
  readonly blob: Leaf;
  readonly document: Leaf;
  readonly timestamp: (value: unknown, format: TimestampFormat | undefined) => unknown;
  /** Whether required members must be there: true for what callers send. */
  readonly checksRequired: boolean;
}

/** Deeper than any value of a real service; a recursive schema must not overflow the stack. */
const MAX_DEPTH = 64;

/**
 * A copy of `value` in the codec's other form. Members the schema does not know are left out, as real services do;
 * absent and null members stay absent.
 */
export function convert(shape: Shape, value: unknown, codec: Codec): unknown {
  const conversion = new Conversion(codec);
  try {
    return conversion.convert(shape, value);
  } catch (error) {
    throw conversion.located(error);
  }
}

class Conversion {
  readonly #codec: Codec;
  readonly #path: (string | number)[] = [];

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  convert(shape: Shape, value: unknown): unknown {
    switch (shape.kind) {
      case 'structure':
        return this.#structure(shape, value);
      case 'list':
        return this.#list(shape, value);
      case 'map':
        return this.#map(shape, value);
      case 'unit':
        return {};
      case 'timestamp':
        return this.#codec.timestamp(value, shape.format);
      default:
        return this.#codec[shape.kind](value);
    }
  }

  #at(segment: string | number, shape: Shape, value: unknown): unknown {
    if (this.#path.length >= MAX_DEPTH) throw this.#mismatch(`deeper than ${MAX_DEPTH} levels`);
    this.#path.push(segment);
    const converted = this.convert(shape, value);
    this.#path.pop();
    return converted;
  }

  #structure(shape: StructureShape, value: unknown): unknown {
    if (!isRecord(value)) throw this.#mismatch(`expected a structure, got ${typeName(value)}`);
    const converted: Record<string, unknown> = {};
    let present = 0;
    for (const member of shape.members) {
      const found = Object.hasOwn(value, member.name) ? value[member.name] : undefined;
      if (found === undefined || found === null) {
        if (member.required && this.#codec.checksRequired) {
          this.#path.push(member.name);
          throw this.#mismatch('is required', true);
        }
        continue;
      }
      converted[member.name] = this.#at(member.name, member.shape, found);
      present += 1;
    }
    if (shape.isUnion && present !== 1) {
      throw this.#mismatch(`expected exactly one member of union ${shape.name}, got ${present}`);
    }
    return converted;
  }

  #list(shape: Shape & { kind: 'list' }, value: unknown): unknown {
    if (!Array.isArray(value)) throw this.#mismatch(`expected a list, got ${typeName(value)}`);
    const converted: unknown[] = [];
    for (const [index, item] of value.entries()) {
      if (item !== undefined && item !== null) converted.push(this.#at(index, shape.element.shape, item));
      else if (shape.sparse) converted.push(null);
    }
    return converted;
  }

  #map(shape: Shape & { kind: 'map' }, value: unknown): unknown {
    if (!isRecord(value)) throw this.#mismatch(`expected a map, got ${typeName(value)}`);
    const converted: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined && item !== null) {
        setOwn(converted, key, this.#at(key, shape.value.shape, item));
      } else if (shape.sparse) {
        setOwn(converted, key, null);
      }
    }
    return converted;
  }

  /** What a leaf threw, with the place it was thrown at: the path stands as it was then. */
  located(error: unknown): unknown {
    if (error instanceof ShapeMismatch) return error;
    return this.#mismatch(error instanceof Error ? error.message : String(error));
  }

  #mismatch(problem: string, missing = false): ShapeMismatch {
    return new ShapeMismatch(pathText(this.#path), problem, missing);
  }
}

/** Sets a key that came from outside: plain assignment of `__proto__` would change the object's prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a person would call the type of a value, for messages. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  return typeof value === 'object' ? 'a structure' : `a ${typeof value}`;
}

function pathText(path: readonly (string | number)[]): string {
  return path
    .map((segment, index) =>
      typeof segment === 'number' ? `[${segment}]` : index === 0 ? segment : `.${segment}`,
    )
    .join('');
}
