import { characterOf, classOf, dot, equalTo, parseClass } from './patternClass.ts';
import { type Cursor, PatternError } from './patternCursor.ts';

export type PatternNode =
  | { readonly kind: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'assert'; readonly holds: (value: string, at: number) => boolean }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max?: number };

const MAX_REPEATS = 1000;
const MAX_DEPTH = 32;

/** Reads the part of `java.util.regex` that a finite automaton can run. Throws `PatternError`. */
export function parsePattern(source: string): PatternNode {
  const cursor: Cursor = { source, at: 0, ignoreCase: false };
  if (source.startsWith('(?i)')) {
    cursor.ignoreCase = true;
    cursor.at = 4;
  }
  const node = choice(cursor, 0);
  if (cursor.at < source.length) throw new PatternError(cursor.at, 'A ")" closes nothing');
  return node;
}

function choice(cursor: Cursor, depth: number): PatternNode {
  if (depth > MAX_DEPTH) {
    throw new PatternError(cursor.at, `Groups of a pattern are nested at most ${MAX_DEPTH} deep`);
  }
  const parts = [sequence(cursor, depth)];
  while (cursor.source[cursor.at] === '|') {
    cursor.at++;
    parts.push(sequence(cursor, depth));
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'choice', parts };
}

function sequence(cursor: Cursor, depth: number): PatternNode {
  const parts: PatternNode[] = [];
  while (cursor.at < cursor.source.length) {
    const next = cursor.source[cursor.at];
    if (next === '|' || next === ')') break;
    parts.push(quantified(cursor, depth));
  }
  return { kind: 'sequence', parts };
}

function quantified(cursor: Cursor, depth: number): PatternNode {
  const part = atom(cursor, depth);
  const start = cursor.at;
  const bounds = quantifier(cursor);
  if (bounds === undefined) return part;
  // A lazy quantifier finds the same whole-value matches as a greedy one; a possessive one does not.
  if (cursor.source[cursor.at] === '?') cursor.at++;
  else if (cursor.source[cursor.at] === '+') {
    throw new PatternError(cursor.at, 'Possessive quantifiers are not supported');
  }
  if ('*+?'.includes(cursor.source[cursor.at] ?? ' ')) {
    throw new PatternError(cursor.at, 'A quantifier follows a quantifier');
  }
  if (bounds.min > MAX_REPEATS || (bounds.max ?? 0) > MAX_REPEATS) {
    throw new PatternError(start, `A pattern repeats a part at most ${MAX_REPEATS} times`);
  }
  return { kind: 'repeat', part, ...bounds };
}

function quantifier(cursor: Cursor): { min: number; max?: number } | undefined {
  const next = cursor.source[cursor.at];
  if (next === '*' || next === '+' || next === '?') {
    cursor.at++;
    if (next === '?') return { min: 0, max: 1 };
    return { min: next === '+' ? 1 : 0 };
  }
  if (next !== '{') return undefined;
  const counted = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(cursor.source.slice(cursor.at, cursor.at + 16));
  if (counted === null) throw new PatternError(cursor.at, 'A "{" is not a repetition {n}, {n,} or {n,m}');
  const min = Number(counted[1]);
  const max = counted[2] === undefined ? min : counted[3] === '' ? undefined : Number(counted[3]);
  if (max !== undefined && max < min) throw new PatternError(cursor.at, 'A repetition {n,m} needs n <= m');
  cursor.at += counted[0].length;
  return max === undefined ? { min } : { min, max };
}

function atom(cursor: Cursor, depth: number): PatternNode {
  const { source } = cursor;
  const next = source[cursor.at];
  switch (next) {
    case '(':
      return group(cursor, depth);
    case '[':
      return { kind: 'character', accepts: parseClass(cursor) };
    case '.':
      cursor.at++;
      return { kind: 'character', accepts: dot };
    case '^':
      cursor.at++;
      return { kind: 'assert', holds: (_value, at) => at === 0 };
    case '$':
      cursor.at++;
      return { kind: 'assert', holds: (value, at) => at === value.length };
    case '*':
    case '+':
    case '?':
    case '{':
      throw new PatternError(cursor.at, `A quantifier "${next}" has nothing to repeat`);
    case '\\':
      return escaped(cursor);
    default:
      cursor.at++;
      return { kind: 'character', accepts: equalTo((next ?? '').charCodeAt(0), cursor.ignoreCase) };
  }
}

function group(cursor: Cursor, depth: number): PatternNode {
  const start = cursor.at;
  cursor.at++;
  if (cursor.source[cursor.at] === '?') {
    const named = /^\?(?::|<[A-Za-z][A-Za-z0-9]{0,63}>)/.exec(cursor.source.slice(cursor.at, cursor.at + 70));
    if (named === null) {
      throw new PatternError(
        start,
        'Look-around and inline flags other than a leading (?i) are not supported',
      );
    }
    cursor.at += named[0].length;
  }
  const node = choice(cursor, depth + 1);
  if (cursor.source[cursor.at] !== ')') throw new PatternError(start, 'A "(" is never closed');
  cursor.at++;
  return node;
}

const isWord = (code: number): boolean => classOf('w')?.(code) ?? false;

const atWordBoundary = (value: string, at: number): boolean => {
  const before = at > 0 && isWord(value.charCodeAt(at - 1));
  const after = at < value.length && isWord(value.charCodeAt(at));
  return before !== after;
};

function escaped(cursor: Cursor): PatternNode {
  const letter = cursor.source[cursor.at + 1];
  if (letter === 'b' || letter === 'B') {
    cursor.at += 2;
    return { kind: 'assert', holds: (value, at) => atWordBoundary(value, at) === (letter === 'b') };
  }
  const accepts = letter === undefined ? undefined : classOf(letter);
  if (accepts !== undefined) {
    cursor.at += 2;
    return { kind: 'character', accepts };
  }
  return { kind: 'character', accepts: equalTo(characterOf(cursor), cursor.ignoreCase) };
}
