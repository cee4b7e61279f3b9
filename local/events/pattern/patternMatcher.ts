import { compilePattern, compilePatternObject } from './compile.ts';
import { flatten } from './fields.ts';
import { matches } from './match.ts';

/** A pattern, as text or parsed, compiled for one event at a time. Throws InvalidEventPatternException. */
export function patternMatcher(pattern: unknown): (event: unknown) => boolean {
  const compiled = typeof pattern === 'string' ? compilePattern(pattern) : compilePatternObject(pattern);
  return (event) =>
    typeof event === 'object' &&
    event !== null &&
    matches(compiled, flatten(event as Readonly<Record<string, unknown>>, compiled.steps));
}
