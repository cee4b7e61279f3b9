import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childGroups, removeEmptyRoot } from './cgroupSlice.ts';

test('the parent of all instances goes with the last of them, and not before', () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-slice-'));
  const mounts = { version: 2, controllers: new Map(), unified: root, recursiveProtection: true } as const;
  try {
    mkdirSync(join(root, 'berth/i-another'), { recursive: true });
    removeEmptyRoot(mounts);
    expect(childGroups(mounts, '/berth')).toEqual(['i-another']);
    rmSync(join(root, 'berth/i-another'), { recursive: true });
    removeEmptyRoot(mounts);
    expect(existsSync(join(root, 'berth'))).toBe(false);
    removeEmptyRoot(mounts);
  } finally {
    rmSync(root, { recursive: true });
  }
});
