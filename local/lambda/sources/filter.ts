import { ServiceError } from '../../engine/service.ts';
import { patternMatcher } from '../../events/pattern/patternMatcher.ts';

/** Whether a record goes to the function. */
export type RecordFilter = (record: object) => boolean;

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
export function recordFilter(patterns: readonly string[]): RecordFilter {
  if (patterns.length === 0) return () => true;
  const matchers = patterns.map((text) => {
    const pattern = parse(text) as { body?: unknown } | undefined;
    if (pattern === null || typeof pattern !== 'object') {
      throw new ServiceError('InvalidParameterValueException', 'Invalid filter pattern definition.', 400, {
        Type: 'User',
      });
    }
    const looksIntoBody = typeof pattern.body === 'object' && !Array.isArray(pattern.body);
    const matches = patternMatcher(pattern);
    return (record: object): boolean => {
      if (!looksIntoBody) return matches(record);
      const body = parse(String((record as { body?: unknown }).body));
      return body !== undefined && matches({ ...record, body });
    };
  });
  return (record) => matchers.some((matches) => matches(record));
}
