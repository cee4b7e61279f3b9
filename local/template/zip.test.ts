import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { zip } from './zip.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-zip-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('another program reads what was packed', () => {
  const files = new Map([
    ['index.mjs', Buffer.from('export const a = 1;\n'.repeat(1_000))],
    ['empty', Buffer.alloc(0)],
    ['bin/données', Buffer.from([0, 255, 1, 254])],
  ]);
  const file = join(directory, 'layer.zip');
  writeFileSync(file, zip(files));
  const script = [
    'import json, sys, zipfile',
    'archive = zipfile.ZipFile(sys.argv[1])',
    'assert archive.testzip() is None',
    'print(json.dumps({i.orig_filename: archive.read(i).hex() for i in archive.infolist()}))',
  ].join('\n');
  const read = Object.values(
    JSON.parse(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' })) as object,
  );
  expect(read).toEqual([...files.values()].map((content) => content.toString('hex')));
});

test('the same files make the same bytes', () => {
  const files = new Map([['a', Buffer.from('a')]]);
  expect(zip(files).equals(zip(files))).toBe(true);
});
