import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPattern } from './pattern.ts';
import { PatternError } from './patternCursor.ts';

describe('createPattern', () => {
  it.each([
    ['a.c', 'abc', true],
    ['a.c', 'a\nc', false],
    ['', '', true],
    ['(?i)C6I\\.[L]arge', 'c6i.LARGE', true],
    ['[^a-c]+', 'xyz', true],
    ['[^a-c]+', 'xbz', false],
    ['[]a]+', ']a', true],
    ['[a-]+', 'a-', true],
    ['[\\d.]+', '1.5', true],
    ['\\x41\\u0042\\t', 'AB\t', true],
    ['(?<gen>[cm])6(?:i|a)', 'm6a', true],
    ['^a{2,3}$', 'aa', true],
    ['a{2,}', 'aaaaa', true],
    ['a{2}', 'aaa', false],
    ['a*?b', 'aab', true],
    ['\\bfoo\\b.*', 'foo bar', true],
    ['a\\Bb', 'ab', true],
    ['a$b', 'ab', false],
  ])('%s on %j is %s', (pattern, value, expected) => {
    expect(createPattern(pattern).test(value)).toBe(expected);
  });

  it.each([
    ['a**', 2],
    ['a*+', 2],
    ['*a', 0],
    ['a{x}', 1],
    ['a{3,2}', 1],
    ['a{2000}', 1],
    ['(a', 0],
    ['a)', 1],
    ['[a', 0],
    ['[b-a]', 3],
    ['[a&&b]', 2],
    ['(a)\\1', 3],
    ['\\p{L}', 0],
    ['\\Qa.b\\E', 0],
    ['a\\', 1],
    ['((a{900}){900})', 0],
    [`${'('.repeat(30)}a${'{0,9})'.repeat(30)}`, 0],
    ['('.repeat(40), 33],
  ])('refuses %s at %i', (pattern, position) => {
    let caught: unknown;
    try {
      createPattern(pattern);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(PatternError);
    expect((caught as PatternError).position).toBe(position);
  });

  it('takes linear time where a backtracking engine takes exponential', () => {
    const pattern = createPattern('(a|aa)+(a*)*b');
    expect(pattern.test('a'.repeat(500))).toBe(false);
    expect(pattern.test(`${'a'.repeat(500)}b`)).toBe(true);
  });

  it('agrees with the platform engine on whole-value matches', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\.', '(?:a|bc)', '(b|)', '(ab*)');
    const part = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{0,2}', '{1,}'))
      .map(([a, q]) => a + q);
    const source = fc
      .array(
        fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
        {
          minLength: 1,
          maxLength: 3,
        },
      )
      .map((alternatives) => alternatives.join('|'));
    const value = fc
      .array(fc.constantFrom('a', 'b', 'c', '.'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(source, value, (text, subject) => {
        expect(createPattern(text).test(subject)).toBe(new RegExp(`^(?:${text})$`).test(subject));
      }),
      { numRuns: 1000 },
    );
  });
});
