import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lockDataDir } from './lock.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-lock-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a folder is locked while its process lives, and the refusal names the process and the way out', () => {
  const lock = lockDataDir(directory);
  expect(() => lockDataDir(directory)).toThrow(`in use by process ${process.pid}`);
  lock.release();
  lockDataDir(directory).release();
});

test('the lock of a killed process is taken over, even when its pid lives again', () => {
  const { pid } = spawnSync('true');
  for (const stale of [`${pid} 12345`, `${process.pid} 1`, '']) {
    writeFileSync(join(directory, 'lock'), stale);
    lockDataDir(directory).release();
  }
});
