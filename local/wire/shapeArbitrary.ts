import fc from 'fast-check';
import type { Member, Shape, StructureShape } from './shape.ts';

/** What an encoding cannot carry, so that properties do not ask for it. */
export interface Limits {
  /** XML and forms cannot tell an empty structure or map from an absent one. */
  readonly nonEmpty: boolean;
  /** XML cannot hold control characters. */
  readonly xmlText: boolean;
  /** Python knows integers from floats where the SDK's schemas do not, and sends no fractions of a second. */
  readonly whole?: boolean;
}

/** Recursive schemas stop here. */
const MAX_DEPTH = 4;

/** Values a schema allows, in the SDK's own form, for property tests over every operation of a service. */
export function valuesOf(shape: Shape, limits: Limits, depth = 0): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'structure':
      return structures(shape, limits, depth);
    case 'list': {
      const element = valuesOf(shape.element.shape, limits, depth + 1);
      return fc.array(element, { minLength: limits.nonEmpty ? 1 : 0, maxLength: 3 });
    }
    case 'map': {
      const value = valuesOf(shape.value.shape, limits, depth + 1);
      const size = { minKeys: limits.nonEmpty ? 1 : 0, maxKeys: 3 };
      return fc.dictionary(texts(limits, 1), value, { ...size, noNullPrototype: true });
    }
    case 'unit':
      return fc.constant({});
    case 'string':
      return texts(limits, 0);
    case 'number':
      return limits.whole ? fc.integer() : numbers;
    case 'boolean':
      return fc.boolean();
    case 'blob':
      return fc.uint8Array({ minLength: limits.nonEmpty ? 1 : 0, maxLength: 64 });
    case 'document':
      return fc.dictionary(texts(limits, 1), fc.oneof(texts(limits, 0), fc.boolean(), fc.integer()), {
        noNullPrototype: true,
        maxKeys: 3,
      });
    case 'timestamp':
      return fc
        .date({ min: new Date(0), max: new Date('2099-01-01T00:00:00Z'), noInvalidDate: true })
        .map((date) => (limits.whole ? new Date(Math.trunc(date.getTime() / 1000) * 1000) : date));
  }
}

function structures(shape: StructureShape, limits: Limits, depth: number): fc.Arbitrary<unknown> {
  const filled = shape.members.filter(
    (member) => member.required || !limits.nonEmpty || !isHollow(member.shape),
  );
  const shallow = filled.filter((member) => member.required || depth < MAX_DEPTH || isLeaf(member));
  // A union always has a member, and so has every structure that may not be empty.
  const members = shallow.length === 0 && (shape.isUnion || limits.nonEmpty) ? filled : shallow;
  if (members.length === 0) return fc.constant({});
  if (shape.isUnion) {
    return fc.constantFrom(...members).chain((member) => only(member, limits, depth));
  }
  const optional = members.filter((member) => !isRequired(member));
  return fc
    .subarray(optional, { maxLength: Math.min(6, optional.length) })
    .map((some) => [...members.filter(isRequired), ...some])
    .map((chosen) => (chosen.length === 0 && limits.nonEmpty ? members.slice(0, 1) : chosen))
    .chain((chosen) =>
      fc.record(
        Object.fromEntries(chosen.map((member) => [member.name, memberValues(member, limits, depth)])),
        { noNullPrototype: true },
      ),
    );
}

function only(member: Member, limits: Limits, depth: number): fc.Arbitrary<unknown> {
  return memberValues(member, limits, depth).map((value) => ({ [member.name]: value }));
}

/** The SDK reads an absent payload as null, so a payload is always there. */
function isRequired(member: Member): boolean {
  return member.required || member.binding.in === 'payload' || member.binding.in === 'status';
}

function isLeaf(member: Member): boolean {
  return !['structure', 'list', 'map'].includes(member.shape.kind);
}

/** A structure that can only be empty, such as a union's `SlidingWindow: {}`. */
function isHollow(shape: Shape, depth = 0): boolean {
  return (
    shape.kind === 'structure' &&
    depth < MAX_DEPTH &&
    shape.members.every((member) => isHollow(member.shape, depth + 1))
  );
}

/** Values for where the member travels: a path segment, a header and a status hold less than a body. */
function memberValues(member: Member, limits: Limits, depth: number): fc.Arbitrary<unknown> {
  const { shape, binding } = member;
  if (binding.in === 'status') return fc.constantFrom(200, 202);
  if (binding.in === 'payload' && shape.kind === 'blob')
    return fc.uint8Array({ minLength: 1, maxLength: 64 });
  if (binding.in === 'header' && shape.kind === 'string') {
    return fc.string({ unit: fc.constantFrom(...'abcXYZ019-_=/+'), minLength: 1, maxLength: 20 });
  }
  if (binding.in === 'label' && shape.kind === 'string') {
    return fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => text !== '.' && text !== '..' && text.isWellFormed());
  }
  if (binding.in === 'query') return valuesOf(shape, { ...limits, nonEmpty: true }, depth + 1);
  return valuesOf(shape, limits, depth + 1);
}

/** Within what a double holds exactly; text and CBOR integers have no -0. */
const numbers = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }))
  .map((number) => number + 0);

const XML_UNIT = fc.constantFrom(...'abcXYZ019 <>&"\'{}[]=;:/\\éß漢字😀\t\n\r');

function texts(limits: Limits, minLength: number): fc.Arbitrary<string> {
  if (!limits.xmlText) return fc.string({ unit: 'binary', minLength, maxLength: 12 });
  const text = fc.string({ unit: XML_UNIT, minLength: Math.max(minLength, 1), maxLength: 12 });
  // The SDK's own XML parser reads white space alone as nothing.
  return text.filter((value) => value.trim() !== '');
}
