import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader } from './lineReader.ts';

test('lines are the same whatever pieces they come in', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\n'));
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat(), { maxLength: 8 }), (lines, unfinished, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join('') + unfinished);
      const seen: string[] = [];
      const reader = new LineReader((text) => seen.push(text));
      let from = 0;
      for (const cut of cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b)) {
        // What was read is overwritten by the next read, as a socket's buffer is.
        const piece = Buffer.from(bytes.subarray(from, cut));
        reader.push(piece);
        piece.fill(0);
        from = cut;
      }
      reader.push(bytes.subarray(from));
      expect(seen).toEqual(lines.filter((text) => text !== ''));
    }),
  );
});

test('a line without end is refused', () => {
  const reader = new LineReader(() => {});
  const piece = Buffer.alloc(600_000, 'x');
  reader.push(piece);
  expect(() => reader.push(piece)).toThrow(/no end/);
});
