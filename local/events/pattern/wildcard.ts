import { invalidPattern } from './errors.ts';

/** The literal parts between the stars of a wildcard pattern; `\*` and `\\` stand for themselves. */
function partsOf(pattern: string): string[] {
  const parts = [''];
  for (let place = 0; place < pattern.length; place++) {
    const character = pattern.charAt(place);
    if (character === '*') {
      if (pattern.charAt(place + 1) === '*') {
        throw invalidPattern(`Consecutive wildcard characters at pos ${place}`);
      }
      parts.push('');
      continue;
    }
    let literal = character;
    if (character === '\\') {
      literal = pattern.charAt(++place);
      if (literal !== '*' && literal !== '\\') {
        throw invalidPattern(`Invalid escape character at pos ${place - 1}`);
      }
    }
    parts.push(`${parts.pop() ?? ''}${literal}`);
  }
  return parts;
}

/**
 * Tests text against a pattern in which `*` stands for any characters. Taking the first fit of every middle part is
 * enough, so it costs no backtracking.
 */
export function wildcardTest(pattern: string): (text: string) => boolean {
  const parts = partsOf(pattern);
  const first = parts[0] ?? '';
  if (parts.length === 1) return (text) => text === first;
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1);
  return (text) => {
    if (!text.startsWith(first)) return false;
    let place = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, place);
      if (found < 0) return false;
      place = found + part.length;
    }
    return text.length - last.length >= place && text.endsWith(last);
  };
}
