import { isRecord, ShapeMismatch, typeName } from './convert.ts';
import { base64FromBytes, expectBoolean, expectNumber, expectString, textFromDate } from './leaf.ts';
import type { Member, Shape, StructureShape } from './shape.ts';

/** The members of a structure as XML elements, without an element around them. Throws ShapeMismatch. */
export function writeMembers(shape: Shape, value: unknown): string {
  if (shape.kind === 'unit') return '';
  if (shape.kind !== 'structure')
    throw new ShapeMismatch('', `an output is a structure, not a ${shape.kind}`);
  return structure(shape, value, '');
}

function structure(shape: StructureShape, value: unknown, path: string): string {
  if (!isRecord(value)) throw new ShapeMismatch(path, `expected a structure, got ${typeName(value)}`);
  let xml = '';
  for (const member of shape.members) {
    const item = value[member.name];
    if (item === undefined || item === null) continue;
    xml += memberElement(member, item, path === '' ? member.name : `${path}.${member.name}`);
  }
  return xml;
}

function memberElement(member: Member, value: unknown, path: string): string {
  const tag = member.xmlName ?? member.name;
  const { shape } = member;
  if (shape.kind === 'list' && member.xmlFlattened) return items(shape, value, tag, path);
  if (shape.kind === 'map' && member.xmlFlattened) return entries(shape, value, tag, path);
  return element(tag, content(shape, value, path));
}

/** What stands between the tags of a value. */
function content(shape: Shape, value: unknown, path: string): string {
  switch (shape.kind) {
    case 'structure':
      return structure(shape, value, path);
    case 'list':
      return items(shape, value, shape.element.xmlName ?? 'member', path);
    case 'map':
      return entries(shape, value, 'entry', path);
    default:
      return escapeXml(leafText(shape, value, path));
  }
}

function items(shape: Shape & { kind: 'list' }, value: unknown, tag: string, path: string): string {
  if (!Array.isArray(value)) throw new ShapeMismatch(path, `expected a list, got ${typeName(value)}`);
  return value
    .map((item, index) => element(tag, content(shape.element.shape, item, `${path}[${index}]`)))
    .join('');
}

function entries(shape: Shape & { kind: 'map' }, value: unknown, tag: string, path: string): string {
  if (!isRecord(value)) throw new ShapeMismatch(path, `expected a map, got ${typeName(value)}`);
  let xml = '';
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || item === null) continue;
    const keyElement = element(shape.key.xmlName ?? 'key', escapeXml(key));
    const valueElement = element(
      shape.value.xmlName ?? 'value',
      content(shape.value.shape, item, `${path}.${key}`),
    );
    xml += element(tag, keyElement + valueElement);
  }
  return xml;
}

function leafText(shape: Shape, value: unknown, path: string): string {
  try {
    return textFromLeaf(shape, value);
  } catch (error) {
    throw new ShapeMismatch(path, error instanceof Error ? error.message : String(error));
  }
}

/** A leaf as text; timestamps are ISO 8601 unless the schema says otherwise. Throws a plain Error. */
export function textFromLeaf(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'string':
      return expectString(value);
    case 'number':
      return String(expectNumber(value));
    case 'boolean':
      return String(expectBoolean(value));
    case 'blob':
      return base64FromBytes(value);
    case 'timestamp':
      return textFromDate(value, shape.format ?? 'date-time');
    default:
      throw new Error(`a ${shape.kind} cannot be written as text`);
  }
}

export function element(tag: string, inner: string): string {
  return inner === '' ? `<${tag}/>` : `<${tag}>${inner}</${tag}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A bare carriage return would come back from an XML parser as a line feed.
  '\r': '&#xD;',
};

/** XML 1.0 has no way to write most control characters or a lone surrogate: they become U+FFFD. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding the characters XML cannot hold is the point.
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(UNWRITABLE, '\ufffd')
    .replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}
