import { typeName } from './convert.ts';
import type { TimestampFormat } from './shape.ts';

/** Leaves shared by the codecs. Each throws an Error that says what it wanted when a value is not one. */

export function expectString(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`expected a string, got ${typeName(value)}`);
  return value;
}

export function expectBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error(`expected a boolean, got ${typeName(value)}`);
  return value;
}

export function expectNumber(value: unknown): number {
  if (typeof value !== 'number') throw new Error(`expected a number, got ${typeName(value)}`);
  return value;
}

export function expectDate(value: unknown): Date {
  if (!(value instanceof Date)) throw new Error(`expected a Date, got ${typeName(value)}`);
  if (Number.isNaN(value.getTime())) throw new Error('expected a Date, got an invalid one');
  return value;
}

/** SDK callers may hand a blob as text, which stands for its UTF-8 bytes. */
export function expectBytes(value: unknown): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (!(value instanceof Uint8Array)) throw new Error(`expected bytes, got ${typeName(value)}`);
  return value;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function bytesFromBase64(value: unknown): Uint8Array {
  const text = expectString(value);
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw new Error('expected base64');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

export function base64FromBytes(value: unknown): string {
  const bytes = expectBytes(value);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const EPOCH = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Older clients write timestamps in other forms than the schema asks for, and real services take them all: so does
 * this, by how the text looks.
 */
export function dateFromText(text: string): Date {
  const trimmed = text.trim();
  if (EPOCH.test(trimmed)) return dateFromSeconds(Number(trimmed));
  const isHttpDate = /^[A-Z][a-z]{2}, \d{2} /.test(trimmed);
  const date = DATE_TIME.test(trimmed) || isHttpDate ? new Date(trimmed) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime())) throw new Error(`expected a timestamp, got "${text.slice(0, 64)}"`);
  return date;
}

export function dateFromSeconds(seconds: number): Date {
  const date = new Date(Math.round(seconds * 1000));
  if (Number.isNaN(date.getTime())) throw new Error('expected a timestamp in seconds');
  return date;
}

export function textFromDate(value: unknown, format: TimestampFormat): string {
  const date = expectDate(value);
  switch (format) {
    case 'date-time':
      return date.toISOString().replace('.000Z', 'Z');
    case 'http-date':
      return date.toUTCString();
    case 'epoch-seconds':
      return String(date.getTime() / 1000);
  }
}

/** Leaves as they stand in query strings, headers, labels and form bodies: always text. */
export function numberFromText(text: string): number {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text);
  const parsed = Number(text);
  if (text.trim() === '' || !Number.isFinite(parsed))
    throw new Error(`expected a number, got "${text.slice(0, 64)}"`);
  return parsed;
}

export function booleanFromText(text: string): boolean {
  const lower = text.toLowerCase();
  if (lower === 'true') return true;
  if (lower === 'false') return false;
  throw new Error(`expected true or false, got "${text.slice(0, 64)}"`);
}
