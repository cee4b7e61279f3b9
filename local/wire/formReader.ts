import { ShapeMismatch, setOwn } from './convert.ts';
import { booleanFromText, bytesFromBase64, dateFromText, numberFromText } from './leaf.ts';
import type { Member, Shape, StructureShape } from './shape.ts';

/** `Filter.1.Value.2=x` as a tree of its dotted names. */
interface FormNode {
  text?: string;
  readonly children: Map<string, FormNode>;
}

/** How names are spelled: EC2 flattens every list and capitalises names; the query protocol has `member` and `entry`. */
export type FormDialect = 'query' | 'ec2-query';

/** More segments than any real parameter name has; bounds the recursion. */
const MAX_DEPTH = 64;

/** Reads a form-encoded request (AWS query or EC2 query) as the SDK's input. Throws ShapeMismatch. */
export function readForm(shape: Shape, form: URLSearchParams, dialect: FormDialect): unknown {
  const root: FormNode = { children: new Map() };
  for (const [name, value] of form) insert(root, name, value);
  return new FormReader(dialect).read(shape, root, '');
}

function insert(root: FormNode, name: string, value: string): void {
  const segments = name.split('.');
  if (segments.length > MAX_DEPTH)
    throw new ShapeMismatch(name.slice(0, 128), `deeper than ${MAX_DEPTH} levels`);
  let node = root;
  for (const segment of segments) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = { children: new Map() };
      node.children.set(segment, child);
    }
    node = child;
  }
  node.text = value;
}

class FormReader {
  readonly #dialect: FormDialect;

  constructor(dialect: FormDialect) {
    this.#dialect = dialect;
  }

  read(shape: Shape, node: FormNode, path: string, flattened = false): unknown {
    switch (shape.kind) {
      case 'structure':
        return this.#structure(shape, node, path);
      case 'list':
        return this.#list(shape, node, path, flattened);
      case 'map':
        return this.#map(shape, node, path, flattened);
      case 'unit':
        return {};
      default:
        return leaf(shape, node, path);
    }
  }

  #structure(shape: StructureShape, node: FormNode, path: string): unknown {
    const read: Record<string, unknown> = {};
    const taken = new Set<string>();
    for (const member of shape.members) {
      const key = this.#memberKey(member);
      // SQS gave a renamed member the form name of the one it replaces: the older member has it.
      if (taken.has(key)) continue;
      taken.add(key);
      const child = node.children.get(key);
      const memberPath = path === '' ? key : `${path}.${key}`;
      if (child !== undefined) {
        read[member.name] = this.read(member.shape, child, memberPath, member.xmlFlattened);
      } else if (member.required) {
        throw new ShapeMismatch(memberPath, 'is required', true);
      }
    }
    if (shape.isUnion && Object.keys(read).length !== 1) {
      throw new ShapeMismatch(path, `expected exactly one member of union ${shape.name}`);
    }
    return read;
  }

  /** An empty list is sent as the bare name with an empty value. */
  #list(shape: Shape & { kind: 'list' }, node: FormNode, path: string, flattened: boolean): unknown {
    const element = shape.element;
    const isFlat = flattened || this.#dialect === 'ec2-query';
    const holder = isFlat ? node : (node.children.get(element.xmlName ?? 'member') ?? node);
    return numbered(holder).map(([index, child]) => this.read(element.shape, child, `${path}.${index}`));
  }

  #map(shape: Shape & { kind: 'map' }, node: FormNode, path: string, flattened: boolean): unknown {
    const read: Record<string, unknown> = {};
    const holder = flattened ? node : (node.children.get('entry') ?? node);
    for (const [index, entry] of numbered(holder)) {
      const key = entry.children.get(shape.key.xmlName ?? 'key')?.text;
      if (key === undefined) throw new ShapeMismatch(`${path}.${index}`, 'has no key');
      const value = entry.children.get(shape.value.xmlName ?? 'value');
      if (value === undefined) throw new ShapeMismatch(`${path}.${index}`, 'has no value');
      setOwn(read, key, this.read(shape.value.shape, value, `${path}.${key}`));
    }
    return read;
  }

  #memberKey(member: Member): string {
    if (this.#dialect === 'query') return member.xmlName ?? member.name;
    if (member.ec2QueryName !== undefined) return member.ec2QueryName;
    const name = member.xmlName ?? member.name;
    return name.charAt(0).toUpperCase() + name.slice(1);
  }
}

/** The entries of a list or map in the order of their numbers; gaps are allowed, as in the real services. */
function numbered(node: FormNode): [number, FormNode][] {
  const entries: [number, FormNode][] = [];
  for (const [name, child] of node.children) {
    if (/^\d{1,9}$/.test(name)) entries.push([Number(name), child]);
  }
  return entries.sort(([left], [right]) => left - right);
}

function leaf(shape: Shape, node: FormNode, path: string): unknown {
  const text = node.text;
  if (text === undefined) throw new ShapeMismatch(path, 'expected a value, got a structure');
  try {
    return leafFromText(shape, text);
  } catch (error) {
    throw new ShapeMismatch(path, error instanceof Error ? error.message : String(error));
  }
}

/** A leaf written as text: in a form, a header, a label or a query string. Throws a plain Error. */
export function leafFromText(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'string':
      return text;
    case 'number':
      return numberFromText(text);
    case 'boolean':
      return booleanFromText(text);
    case 'blob':
      return bytesFromBase64(text);
    case 'timestamp':
      return dateFromText(text);
    default:
      throw new Error(`a ${shape.kind} cannot be written as text`);
  }
}
