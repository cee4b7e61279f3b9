import fc from 'fast-check';
import { expect, test } from 'vitest';
import { taskIdOf } from './taskId.ts';

test('an id is 26 characters of lower-case base32 and the same for the same request', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(), (source, key, ordinal) => {
      const id = taskIdOf(source, key, ordinal);
      expect(id).toMatch(/^[a-z2-7]{26}$/);
      expect(taskIdOf(source, key, ordinal)).toBe(id);
    }),
  );
});

test('moving characters between source, key and ordinal makes another id', () => {
  const ids = [
    taskIdOf('a', 'b1', 1),
    taskIdOf('ab', '1', 1),
    taskIdOf('a', 'b', 11),
    taskIdOf('a', 'b1', 0),
    taskIdOf('', 'ab1', 1),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('it is the base32 of SHA-256 over the JSON of the three', () => {
  // printf '["shop","order-17",0]' | sha256sum, then its bytes in base32: | cut -c1-26 | tr A-Z a-z
  expect(taskIdOf('shop', 'order-17', 0)).toBe('vyee3nslnpai3snz5iykvv6sgm');
});
