import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, compilePatternObject } from './compile.ts';
import { flatten } from './fields.ts';
import { matches } from './match.ts';
import { patternMatcher } from './patternMatcher.ts';
import { wildcardTest } from './wildcard.ts';

/** [list of a pattern, values it matches, values it does not]. */
const lists: readonly [unknown[], unknown[], unknown[]][] = [
  [['on'], ['on', ['off', 'on']], ['ON', '', null, ['off'], []]],
  [[1], [1, 1.0, [2, 1]], ['1', 2, true]],
  [
    [true, null],
    [true, null],
    [false, 'true', 'null', 0],
  ],
  [[''], [''], [null, ' ']],
  [[{ prefix: 'eu-' }], ['eu-west-1'], ['us-east-1', 'EU-west-1', 5]],
  [[{ prefix: { 'equals-ignore-case': 'eu-' } }], ['EU-west-1', 'eu-'], ['us-east-1']],
  [[{ suffix: '.png' }], ['a.png'], ['a.PNG', 'png']],
  [[{ suffix: { 'equals-ignore-case': '.png' } }], ['a.PNG'], ['a.jpg']],
  [[{ 'equals-ignore-case': 'Alice' }], ['ALICE', 'alice'], ['alic', 'alicex']],
  [[{ wildcard: 'dir/*.p*g' }], ['dir/a.png', 'dir/.pg', 'dir/b/c.png.peg'], ['dir/a.jpg', 'a/dir/x.png']],
  [[{ wildcard: 'a\\*b\\\\' }], ['a*b\\'], ['axb\\']],
  [[{ wildcard: '*' }], ['', 'anything'], [5]],
  [[{ 'anything-but': 'off' }], ['on', 5, ['off', 'on']], ['off', ['off'], []]],
  [[{ 'anything-but': ['a', 'b'] }], ['c'], ['a', 'b']],
  [[{ 'anything-but': [1, 2] }], [3, '1'], [1, 2]],
  [[{ 'anything-but': 404 }], [200], [404]],
  [[{ 'anything-but': { prefix: 'tmp' } }], ['x'], ['tmp1']],
  [[{ 'anything-but': { prefix: ['a', 'b'] } }], ['cab'], ['ab', 'ba']],
  [[{ 'anything-but': { suffix: '.tmp' } }], ['a.txt'], ['a.tmp']],
  [[{ 'anything-but': { suffix: ['.a', '.b'] } }], ['x.c'], ['x.a', 'x.b']],
  [[{ 'anything-but': { 'equals-ignore-case': 'OFF' } }], ['on'], ['off', 'Off']],
  [[{ 'anything-but': { 'equals-ignore-case': ['a', 'b'] } }], ['c'], ['A', 'B']],
  [[{ 'anything-but': { prefix: { 'equals-ignore-case': 'tmp' } } }], ['x'], ['TMP1']],
  [[{ 'anything-but': { wildcard: '*/tmp/*' } }], ['a/b'], ['a/tmp/b']],
  [[{ 'anything-but': { wildcard: ['*a', 'b*'] } }], ['cc'], ['xa', 'bx']],
  [[{ numeric: ['=', 3.018e2] }], [301.8], [302, '301.8']],
  [[{ numeric: ['>', 0, '<=', 5] }], [5, 0.001], [0, 5.1, '3', null]],
  [[{ numeric: ['<', 10] }], [9, -1e6], [10, -6e9]],
  [
    [{ numeric: ['>=', -1] }, 'none'],
    [-1, 'none'],
    [-2, 'some'],
  ],
  [[{ exists: true }], ['x', null, 0, [1]], [undefined, [], {}]],
  [[{ exists: false }], [undefined, [], {}], ['x', null]],
  [[{ exists: false }, 'x'], [undefined, 'x'], ['y']],
  [[{ cidr: '10.0.0.0/24' }], ['10.0.0.0', '10.0.0.255'], ['10.0.1.0', '10.0.0', 'x', '::1']],
  [[{ cidr: '2001:db8::/32' }], ['2001:db8:1::5', '2001:0db8::ffff:1.2.3.4'], ['2001:db9::1', '10.0.0.1']],
  [[{ cidr: '0.0.0.0/0' }], ['255.1.2.3'], ['::1']],
];

describe('values', () => {
  it.each(lists)('%j', (list, yes, no) => {
    const event = (value: unknown): Record<string, unknown> => ({
      detail: value === undefined ? {} : { x: value },
    });
    const pattern = compilePatternObject({ detail: { x: list } });
    const verdict = (value: unknown): boolean => matches(pattern, flatten(event(value)));
    expect(yes.filter((value) => !verdict(value))).toEqual([]);
    expect(no.filter(verdict)).toEqual([]);
  });
});

const pair = { items: { name: ['a'], state: ['on'] } };

describe('structure', () => {
  it.each<[string, unknown, Record<string, unknown>, boolean]>([
    ['all fields must match', { a: ['1'], b: ['2'] }, { a: '1', b: '2', c: '3' }, true],
    ['one that does not is enough', { a: ['1'], b: ['2'] }, { a: '1', b: '3' }, false],
    ['an object is no value', { a: [{ exists: true }] }, { a: { b: 1 } }, false],
    ['a dotted name means the nested field too', { 'a.b': ['1'] }, { a: { b: '1' } }, true],
    ['objects in an array match in one element', pair, { items: [{ name: 'a', state: 'on' }] }, true],
    ['not over two elements', pair, { items: [{ name: 'a' }, { state: 'on' }] }, false],
    [
      'a later element may do what an earlier did not',
      pair,
      {
        items: [
          { name: 'a', state: 'off' },
          { name: 'b', state: 'on' },
          { name: 'a', state: 'on' },
        ],
      },
      true,
    ],
    [
      'consistency reaches through nested arrays',
      { a: { id: ['1'], b: { c: ['x'] } } },
      {
        a: [
          { id: '1', b: [{ c: 'y' }] },
          { id: '2', b: [{ c: 'x' }] },
        ],
      },
      false,
    ],
    [
      'arrays of different fields do not bind each other',
      { a: { x: ['1'] }, b: { y: ['2'] } },
      { a: [{ x: '0' }, { x: '1' }], b: [{ y: '2' }, { y: '3' }] },
      true,
    ],
    [
      'arrays in arrays are elements',
      { a: { x: ['1'], y: ['2'] } },
      { a: [[{ x: '1' }], [{ y: '2' }]] },
      false,
    ],
    [
      'absence is judged in the element at hand',
      { a: { x: ['1'], y: [{ exists: false }] } },
      { a: [{ x: '1' }, { y: '2' }] },
      true,
    ],
    [
      'absence before any choice looks at all elements',
      { a: { a: [{ exists: false }], x: ['1'] } },
      { a: [{ x: '1' }, { a: '2' }] },
      false,
    ],
    ['$or takes either side', { $or: [{ a: ['1'] }, { b: ['2'] }] }, { b: '2' }, true],
    ['$or takes neither', { $or: [{ a: ['1'] }, { b: ['2'] }] }, { a: '2', b: '1' }, false],
    [
      '$or narrows what stands beside it',
      { s: ['x'], $or: [{ a: ['1'] }, { b: ['2'] }] },
      { s: 'y', a: '1' },
      false,
    ],
    [
      '$or nests and stands in nested objects',
      { d: { $or: [{ a: ['1'], $or: [{ b: ['2'] }, { c: ['3'] }] }, { e: ['4'] }] } },
      { d: { a: '1', c: '3' } },
      true,
    ],
    [
      'two $or are both asked',
      { x: { $or: [{ a: ['1'] }, { b: ['1'] }] }, y: { $or: [{ a: ['1'] }, { b: ['1'] }] } },
      { x: { a: '1' }, y: { c: '1' } },
      false,
    ],
  ])('%s', (_name, pattern, event, verdict) => {
    expect(patternMatcher(pattern)(event)).toBe(verdict);
  });

  it('agrees with the verdicts of AWS event-ruler', ({ skip }) => {
    const file = new URL('../../../../shared/data/eventbridge-patterns.json', import.meta.url);
    if (!existsSync(file))
      skip('the shared verdicts are not on this machine; the cases above cover the same rules');
    const cases = JSON.parse(readFileSync(file, 'utf8')) as {
      name: string;
      rule: unknown;
      event: Record<string, unknown>;
      match: boolean;
    }[];
    expect(cases.length).toBeGreaterThanOrEqual(34);
    const wrong = cases.filter(({ rule, event, match }) => patternMatcher(rule)(event) !== match);
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});

describe('validation', () => {
  it.each([
    ['[]', 'Filter is not an object'],
    ['{', 'JSON'],
    ['{}', 'Empty objects'],
    ['{"a":{}}', 'Empty objects'],
    ['{"a":[]}', 'Empty arrays'],
    ['{"a":"x"}', '"a" must be an object or an array'],
    ['{"a":[["x"]]}', 'Match value must be String, number, true, false, or null'],
    ['{"a":[{}]}', 'Match expression name not found'],
    ['{"a":[{"near":"x"}]}', 'Unrecognized match type near'],
    ['{"a":[{"constructor":"x"}]}', 'Unrecognized match type constructor'],
    ['{"a":[{"prefix":1}]}', 'prefix match pattern must be a string'],
    ['{"a":[{"prefix":"a","suffix":"b"}]}', 'Only one key allowed'],
    ['{"a":[{"exists":"true"}]}', 'exists match pattern must be either true or false'],
    ['{"a":[{"numeric":5}]}', 'must be an array'],
    ['{"a":[{"numeric":["~",5]}]}', 'Unrecognized numeric range operator'],
    ['{"a":[{"numeric":["<","5"]}]}', 'must be numeric'],
    ['{"a":[{"numeric":["<",6e9]}]}', 'between -5.0E9 and 5.0E9'],
    ['{"a":[{"numeric":[">",5,"<",5]}]}', 'Bottom must be less than top'],
    ['{"a":[{"numeric":["<",5,">",1]}]}', 'Too many elements'],
    ['{"a":[{"numeric":[">",5,"=",6]}]}', 'Bad numeric range operator'],
    ['{"a":[{"anything-but":[]}]}', 'anything but list'],
    ['{"a":[{"anything-but":["a",1]}]}', 'mixed type'],
    ['{"a":[{"anything-but":true}]}', 'must be an array or single string/number'],
    ['{"a":[{"anything-but":{"numeric":["<",5]}}]}', 'Unsupported anything-but pattern'],
    ['{"a":[{"anything-but":{"prefix":""}}]}', 'Null prefix/suffix'],
    ['{"a":[{"wildcard":"a**b"}]}', 'Consecutive wildcard'],
    ['{"a":[{"wildcard":"a\\\\b"}]}', 'Invalid escape'],
    ['{"a":[{"cidr":"10.0.0.0"}]}', 'CIDR'],
    ['{"a":[{"cidr":"10.0.0.0/33"}]}', 'CIDR'],
    ['{"$or":{"a":["1"]}}', 'must be an Array'],
    ['{"$or":[{"a":["1"]}]}', 'at least 2 Objects'],
    ['{"$or":[{"a":["1"]},["b"]]}', 'Only JSON object'],
    ['{"$or":[{"numeric":["1"]},{"b":["1"]}]}', 'reserved fieldName'],
    [JSON.stringify({ a: ['x'.repeat(4096)] }), 'longer than 4096'],
  ])('%s: %s', (text, reason) => {
    expect(() => compilePattern(text)).toThrow(
      expect.objectContaining({
        code: 'InvalidEventPatternException',
        message: expect.stringContaining(reason),
      }),
    );
  });
});

describe('properties', () => {
  it('wildcards agree with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (parts, candidate) => {
        const nonEmptyMiddle = parts.filter((part, n) => n === 0 || n === parts.length - 1 || part !== '');
        const pattern = nonEmptyMiddle.join('*');
        fc.pre(!pattern.includes('**'));
        const literal = nonEmptyMiddle.map((part) => part.replaceAll('.', '\\.'));
        const expected = new RegExp(`^${literal.join('.*')}$`, 's').test(candidate);
        expect(wildcardTest(pattern)(candidate)).toBe(expected);
      }),
    );
  });

  it('leaving out what no clause needs changes no verdict', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const value = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('x', 'y', 1, null),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
      ),
    })).tree;
    const leaf = fc.array(
      fc.constantFrom<unknown>('x', 1, { exists: true }, { exists: false }, { 'anything-but': 'x' }),
      {
        minLength: 1,
        maxLength: 2,
      },
    );
    const pattern = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { minKeys: 1 })), {
      minKeys: 1,
    });
    fc.assert(
      fc.property(pattern, fc.dictionary(key, value), (json, event) => {
        const compiled = compilePatternObject(json);
        expect(matches(compiled, flatten(event, compiled.steps))).toBe(matches(compiled, flatten(event)));
      }),
    );
  });
});
