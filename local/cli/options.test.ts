import { expect, test } from 'vitest';
import { UsageError } from './commandLine.ts';
import { readOptions } from './options.ts';

test('defaults are those that the help names', () => {
  expect(readOptions([])).toEqual({
    dataDir: '.berth',
    port: 4566,
    bootMs: 2000,
    demo: true,
    json: false,
    parameters: {},
  });
});

test('parameters keep what follows their first equals sign', () => {
  expect(readOptions(['--parameter', 'A=b=c', '--parameter', 'D='])).toMatchObject({
    parameters: { A: 'b=c', D: '' },
  });
});

test.each([
  [['--port', 'x']],
  [['--port', '70000']],
  [['--boot-ms', '-1']],
  [['--parameter', 'novalue']],
  [['--nope']],
  [['stray']],
])('%j is refused in words', (argv) => {
  expect(() => readOptions(argv)).toThrow(UsageError);
});
