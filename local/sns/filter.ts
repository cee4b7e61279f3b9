import { ServiceError } from '../engine/service.ts';
import { patternMatcher } from '../events/pattern/patternMatcher.ts';
import { invalidParameter } from './errors.ts';
import type { Published } from './records.ts';

export type Filter = (message: Published, text: string) => boolean;

/** Compiles a subscription's filter policy: the pattern language of EventBridge over attributes or over a JSON body. */
export function compileFilter(policy: string | undefined, scope: string | undefined): Filter {
  if (policy === undefined || policy === '' || policy === '{}') return () => true;
  let matches: (event: unknown) => boolean;
  try {
    matches = patternMatcher(policy);
  } catch (error) {
    if (error instanceof ServiceError) throw invalidParameter(`FilterPolicy: ${error.message}`);
    throw error;
  }
  if (scope === 'MessageBody') return (_message, text) => matches(parse(text));
  return ({ attributes }) => matches(valuesOf(attributes));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Attributes as a pattern sees them: numbers as numbers, String.Array as a list; binary values cannot be filtered on. */
function valuesOf(attributes: Published['attributes']): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, { DataType, StringValue }] of Object.entries(attributes)) {
    if (StringValue === undefined) continue;
    if (DataType.startsWith('Number')) values[name] = Number(StringValue);
    else values[name] = DataType === 'String.Array' ? parse(StringValue) : StringValue;
  }
  return values;
}
