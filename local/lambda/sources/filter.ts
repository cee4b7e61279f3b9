import { ServiceError } from '../../engine/service.ts';

/** Whether a record goes to the function. */
export type RecordFilter = (record: object) => boolean;

/** Compiles an event pattern; throws when it is not valid. The pattern language is EventBridge's. */
export type PatternCompiler = (pattern: unknown) => (event: unknown) => boolean;

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * The filter of a mapping: a record passes when it matches any of the patterns. The body of a queue's message is matched
 * as JSON when the pattern looks into it; a body that is not JSON then matches nothing.
 */
export function recordFilter(
  patterns: readonly string[],
  compile: PatternCompiler | undefined,
): RecordFilter {
  if (patterns.length === 0) return () => true;
  if (!compile)
    throw new ServiceError('InvalidParameterValueException', 'Filter criteria are not supported here.');
  const matchers = patterns.map((text) => {
    const pattern = parse(text) as { body?: unknown } | undefined;
    if (pattern === null || typeof pattern !== 'object') {
      throw new ServiceError('InvalidParameterValueException', 'Invalid filter pattern definition.', 400, {
        Type: 'User',
      });
    }
    const looksIntoBody = typeof pattern.body === 'object' && !Array.isArray(pattern.body);
    const matches = compile(pattern);
    return (record: object): boolean => {
      if (!looksIntoBody) return matches(record);
      const body = parse(String((record as { body?: unknown }).body));
      return body !== undefined && matches({ ...record, body });
    };
  });
  return (record) => matchers.some((matches) => matches(record));
}
