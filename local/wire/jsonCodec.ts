import type { Codec } from './convert.ts';
import {
  base64FromBytes,
  bytesFromBase64,
  dateFromSeconds,
  dateFromText,
  expectBoolean,
  expectDate,
  expectNumber,
  expectString,
  textFromDate,
} from './leaf.ts';

/** JSON 1.0, JSON 1.1 and the bodies of REST-JSON. JSON has no NaN and no infinities, so those travel as text. */
export const jsonToSdk: Codec = {
  string: expectString,
  number: (value) =>
    value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : expectNumber(value),
  boolean: expectBoolean,
  blob: bytesFromBase64,
  document: (value) => value,
  timestamp: (value) =>
    typeof value === 'string' ? dateFromText(value) : dateFromSeconds(expectNumber(value)),
  checksRequired: true,
};

export const sdkToJson: Codec = {
  string: expectString,
  number: (value) => {
    const number = expectNumber(value);
    return Number.isFinite(number) ? number : String(number);
  },
  boolean: expectBoolean,
  blob: base64FromBytes,
  document: (value) => value,
  timestamp: (value, format = 'epoch-seconds') =>
    format === 'epoch-seconds' ? expectDate(value).getTime() / 1000 : textFromDate(value, format),
  checksRequired: false,
};
