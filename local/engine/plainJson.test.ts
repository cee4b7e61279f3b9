import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainJson } from './plainJson.ts';

it('makes of a value what JSON makes of it', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('node')),
      fc.dictionary(key, fc.option(tie('node'), { nil: undefined })),
    ),
  })).node;
  fc.assert(
    fc.property(value, (given) => {
      expect(plainJson(given)).toEqual(JSON.parse(JSON.stringify(given)));
    }),
  );
});

/** `__proto__` is no key that an AWS shape has. */
const key = fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__');
