import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { tar } from './tar.ts';

test('the system tar reads back what was put in', () => {
  const archive = tar([
    { path: 'bin/', kind: 'directory' },
    { path: 'bin/tool', kind: 'file', data: Buffer.from('x'.repeat(1000)), mode: 0o755 },
    { path: 'bin/link', kind: 'symlink', target: 'tool' },
  ]);
  const listing = execFileSync('tar', ['-tv', '--numeric-owner', '--utc'], {
    input: archive,
    encoding: 'utf8',
  });
  const lines = listing
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' '));
  expect(lines).toEqual([
    'drwxr-xr-x 0/0 0 1970-01-01 00:00 bin/',
    '-rwxr-xr-x 0/0 1000 1970-01-01 00:00 bin/tool',
    'lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/link -> tool',
  ]);
});

test('a path the format cannot hold is refused', () => {
  expect(() => tar([{ path: 'x'.repeat(101), kind: 'directory' }])).toThrow(RangeError);
});
