import { tag } from '@smithy/core/cbor';
import type { Codec } from './convert.ts';
import {
  dateFromSeconds,
  expectBoolean,
  expectBytes,
  expectDate,
  expectNumber,
  expectString,
} from './leaf.ts';

/** CBOR's tag for seconds since the epoch. */
const EPOCH_TAG = 1;

/** CBOR has byte strings and tagged dates of its own; the decoder hands both over as they are. */
export const cborToSdk: Codec = {
  string: expectString,
  number: (value) => (typeof value === 'bigint' ? Number(value) : expectNumber(value)),
  boolean: expectBoolean,
  blob: expectBytes,
  document: (value) => value,
  timestamp: (value) => dateFromTag(value),
  checksRequired: true,
};

export const sdkToCbor: Codec = {
  string: expectString,
  number: expectNumber,
  boolean: expectBoolean,
  blob: expectBytes,
  document: (value) => value,
  timestamp: (value) => tag({ tag: EPOCH_TAG, value: expectDate(value).getTime() / 1000 }),
  checksRequired: false,
};

function dateFromTag(value: unknown): Date {
  const isTagged = typeof value === 'object' && value !== null && 'tag' in value && 'value' in value;
  if (isTagged && value.tag === EPOCH_TAG) return dateFromTag(value.value);
  if (typeof value === 'bigint') return dateFromSeconds(Number(value));
  return dateFromSeconds(expectNumber(value));
}
