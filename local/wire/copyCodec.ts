import type { Codec } from './convert.ts';
import { expectBoolean, expectBytes, expectDate, expectNumber, expectString } from './leaf.ts';

/** SDK value to SDK value: what the in-process client uses in place of bytes, so that caller and engine share nothing. */
export const copyOutput: Codec = {
  string: expectString,
  number: expectNumber,
  boolean: expectBoolean,
  blob: (value) => new Uint8Array(expectBytes(value)),
  document: (value) => structuredClone(value),
  timestamp: (value) => new Date(expectDate(value)),
  checksRequired: false,
};

export const copyInput: Codec = { ...copyOutput, checksRequired: true };
