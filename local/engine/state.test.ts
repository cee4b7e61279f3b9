import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryState, sqliteState } from './state.ts';

const newFile = (): string => join(mkdtempSync(join(tmpdir(), 'state-')), 'state.sqlite');

describe('sqliteState', () => {
  it('shows writes that belong together to others all at once', () => {
    const file = newFile();
    const state = sqliteState(file);
    const records = state.collection<number>('a');
    const seenByOthers = (): [string, number][] => {
      const other = sqliteState(file);
      const entries = [...other.collection<number>('a').entries()];
      other.close();
      return entries;
    };
    state.atomically(() => {
      records.set('x', 1);
      state.atomically(() => records.set('y', 2));
      expect(records.get('y')).toBe(2);
      expect(seenByOthers()).toEqual([]);
    });
    expect(seenByOthers()).toEqual([
      ['x', 1],
      ['y', 2],
    ]);
    state.close();
  });

  it('keeps what was written before a throw, in memory as in the file', () => {
    const file = newFile();
    const state = sqliteState(file);
    const records = state.collection<number>('a');
    expect(() =>
      state.atomically(() => {
        records.set('x', 1);
        throw new Error('no');
      }),
    ).toThrow('no');
    records.set('y', 2);
    state.close();
    const again = sqliteState(file);
    expect([...again.collection('a').values()]).toEqual([1, 2]);
    again.close();
  });
});

describe('memoryState', () => {
  it('finds a collection again by its name', () => {
    const state = memoryState();
    state.collection<number>('a').set('x', 1);
    expect(state.collection<number>('a').get('x')).toBe(1);
    expect(state.collection<number>('b').size).toBe(0);
  });
});
