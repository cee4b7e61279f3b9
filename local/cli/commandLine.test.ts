import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { oneOf, parseOptions, UsageError, whole } from './commandLine.ts';

test.each(['0', '7', '65535'])('%s is a whole number', (text) => {
  expect(whole('port', text, { max: 65_535 })).toBe(Number(text));
});

test.each(['', ' ', 'x', '-1', '1.5', '65536', 'Infinity', 'NaN'])(
  '"%s" is refused with its range',
  (text) => {
    const read = (): number => whole('port', text, { max: 65_535 });
    expect(read).toThrow(UsageError);
    expect(read).toThrow(`--port must be a whole number from 0 to 65535; it is "${text}".`);
  },
);

test('a name that there is not is refused with those that there are', () => {
  expect(oneOf('only', 'v2', ['v1', 'v2'])).toBe('v2');
  expect(() => oneOf('only', 'v3', ['v1', 'v2'])).toThrow('--only must be one of v1, v2; it is "v3".');
});

test.each([[['--nope']], [['stray']], [['--runs']], [['--runs', '-1']]])('%j is refused in words', (argv) => {
  const read = () => parseOptions(argv, { runs: { type: 'string' } });
  expect(read).toThrow(UsageError);
  expect(read).toThrow(/[^.]\.$/);
});

test.each([
  [['--help', '--seeds', 'x'], 0],
  [['--seeds', 'x'], 2],
  [['--bogus'], 2],
])('a script called with %j ends with %i', (argv, status) => {
  const ran = spawnSync(process.execPath, ['scripts/simulate.ts', ...argv], { encoding: 'utf8' });
  expect(ran.status).toBe(status);
  const [told, silent] = status === 0 ? [ran.stdout, ran.stderr] : [ran.stderr, ran.stdout];
  expect(told).toMatch(status === 0 ? /--seeds N/ : /See --help\.\n$/);
  expect(silent).toBe('');
});
