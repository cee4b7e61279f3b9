import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LruCache } from './lruCache.ts';

it('keeps what was used last, within its capacity', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.record({ key, write: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, capacity) => {
      const cache = new LruCache<number>(capacity);
      let recent: [string, number][] = [];
      steps.forEach(({ key: name, write }, index) => {
        const known = recent.find(([each]) => each === name)?.[1];
        if (write) cache.set(name, index);
        else expect(cache.get(name)).toBe(known);
        const value = write ? index : known;
        if (value !== undefined)
          recent = [[name, value], ...recent.filter(([each]) => each !== name)] as typeof recent;
        recent = recent.slice(0, capacity);
      });
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        expect(cache.peek(name)).toBe(recent.find(([each]) => each === name)?.[1]);
        expect(cache.has(name)).toBe(recent.some(([each]) => each === name));
      }
    }),
  );
});
