import { type Cursor, PatternError } from './patternCursor.ts';

type Accepts = (code: number) => boolean;

/** Java's `.` stops at line ends. */
export const dot: Accepts = (code) =>
  code !== 0x0a && code !== 0x0d && code !== 0x85 && code !== 0x2028 && code !== 0x2029;

const otherCase = (code: number): number => {
  if (code >= 0x41 && code <= 0x5a) return code + 0x20;
  return code >= 0x61 && code <= 0x7a ? code - 0x20 : code;
};

/** Case is ignored in ASCII only, as with Java's `(?i)`. */
export function equalTo(wanted: number, ignoreCase: boolean): Accepts {
  if (!ignoreCase) return (code) => code === wanted;
  const other = otherCase(wanted);
  return (code) => code === wanted || code === other;
}

const isDigit: Accepts = (code) => code >= 0x30 && code <= 0x39;
const isWord: Accepts = (code) =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const isSpace: Accepts = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d);

const classes: Readonly<Record<string, Accepts>> = {
  d: isDigit,
  D: (code) => !isDigit(code),
  w: isWord,
  W: (code) => !isWord(code),
  s: isSpace,
  S: (code) => !isSpace(code),
};

/** The class of `\d`, `\w`, `\s` and their negations; undefined for any other letter. */
export const classOf = (letter: string): Accepts | undefined =>
  Object.hasOwn(classes, letter) ? classes[letter] : undefined;

const controls: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, r: 0x0d, f: 0x0c };

/** Reads `\t`, `\x41`, `\u0041` or an escaped punctuation mark, with the cursor on the backslash. */
export function characterOf(cursor: Cursor): number {
  const { source, at } = cursor;
  const letter = source[at + 1];
  if (letter === undefined) throw new PatternError(at, 'A pattern ends in a backslash');
  const hex = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))/.exec(source.slice(at, at + 6));
  if (hex !== null) {
    cursor.at += hex[0].length;
    return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
  }
  const control = Object.hasOwn(controls, letter) ? controls[letter] : undefined;
  if (control === undefined && /[A-Za-z0-9]/.test(letter)) {
    const what = /[1-9]/.test(letter) ? 'Back-references are' : `The escape "\\${letter}" is`;
    throw new PatternError(at, `${what} not supported`);
  }
  cursor.at += 2;
  return control ?? letter.charCodeAt(0);
}

/** Reads `[...]`, with the cursor on the bracket. */
export function parseClass(cursor: Cursor): Accepts {
  const { source } = cursor;
  const start = cursor.at;
  cursor.at++;
  const negated = source[cursor.at] === '^';
  if (negated) cursor.at++;
  const members: Accepts[] = [];
  for (let first = true; first || source[cursor.at] !== ']'; first = false) {
    if (cursor.at >= source.length) throw new PatternError(start, 'A "[" is never closed');
    members.push(member(cursor));
  }
  cursor.at++;
  const any: Accepts = (code) => members.some((accepts) => accepts(code));
  const folded: Accepts = cursor.ignoreCase ? (code) => any(code) || any(otherCase(code)) : any;
  return negated ? (code) => !folded(code) : folded;
}

function member(cursor: Cursor): Accepts {
  const { source } = cursor;
  if (source[cursor.at] === '[' || source.startsWith('&&', cursor.at)) {
    throw new PatternError(cursor.at, 'Nested classes and intersections are not supported');
  }
  const shorthand = source[cursor.at] === '\\' ? classOf(source[cursor.at + 1] ?? '') : undefined;
  if (shorthand !== undefined) {
    cursor.at += 2;
    return shorthand;
  }
  const low = endpoint(cursor);
  if (source[cursor.at] !== '-' || source[cursor.at + 1] === ']' || source[cursor.at + 1] === undefined) {
    return (code) => code === low;
  }
  cursor.at++;
  const dash = cursor.at;
  const high = endpoint(cursor);
  if (high < low) throw new PatternError(dash, 'A range a-b of a class needs a <= b');
  return (code) => code >= low && code <= high;
}

function endpoint(cursor: Cursor): number {
  if (cursor.source[cursor.at] === '\\') return characterOf(cursor);
  const code = cursor.source.charCodeAt(cursor.at);
  cursor.at++;
  return code;
}
