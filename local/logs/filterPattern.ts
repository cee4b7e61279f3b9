import { invalidPattern, jsonPattern } from './jsonPattern.ts';

/** Whether a log event's message matches. */
export type MessageTest = (message: string) => boolean;

const TERM = /\s*([-?]?)("(?:[^"\\]|\\.)*"|%[^%]+%|[^\s"]+)/y;

function termTest(term: string): MessageTest {
  if (term.startsWith('%') && term.endsWith('%') && term.length > 2) {
    const expression = new RegExp(term.slice(1, -1));
    return (message) => expression.test(message);
  }
  const text = term.startsWith('"') ? (JSON.parse(term) as string) : term;
  return (message) => message.includes(text);
}

/** Terms that must all be there, `-terms` that must not, and `?terms` of which one must be. Case counts. */
function textPattern(pattern: string): MessageTest {
  const required: MessageTest[] = [];
  const excluded: MessageTest[] = [];
  const optional: MessageTest[] = [];
  TERM.lastIndex = 0;
  while (TERM.lastIndex < pattern.length) {
    const match = TERM.exec(pattern);
    if (!match) break;
    const test = termTest(match[2] ?? '');
    (match[1] === '-' ? excluded : match[1] === '?' ? optional : required).push(test);
  }
  return (message) => {
    if (excluded.some((test) => test(message)) || !required.every((test) => test(message))) return false;
    // Next to required terms, optional ones have no effect; the service says so and does so.
    return required.length > 0 || optional.length === 0 || optional.some((test) => test(message));
  };
}

/** Compiles a filter pattern. Throws InvalidParameterException; patterns of space-delimited columns are not supported. */
export function filterPattern(pattern: string | undefined): MessageTest {
  const text = (pattern ?? '').trim();
  if (text === '') return () => true;
  try {
    if (text.startsWith('[')) throw invalidPattern();
    if (!text.startsWith('{')) return textPattern(text);
    if (!text.endsWith('}')) throw invalidPattern();
    const test = jsonPattern(text.slice(1, -1));
    return (message) => {
      if (!message.trimStart().startsWith('{')) return false;
      try {
        return test(JSON.parse(message));
      } catch {
        // Not a JSON message after all.
        return false;
      }
    };
  } catch (error) {
    // A bad regular expression or string is the caller's pattern, too.
    throw error instanceof SyntaxError ? invalidPattern() : error;
  }
}
