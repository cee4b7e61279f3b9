import { expect, it } from 'vitest';
import { staleSchemas } from './schemas.ts';

it('docs/schemas is what the parsers say: run npm run schemas', () => {
  expect(staleSchemas()).toEqual([]);
});
