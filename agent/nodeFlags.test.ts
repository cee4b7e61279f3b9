import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { AGENT_BUNDLE, agentBundleOptions } from '../scripts/agentBundle.ts';
import { MALLOC_SETTINGS, NODE_FLAGS } from './nodeFlags.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-bundle-'));
const outfile = join(directory, AGENT_BUNDLE);
afterAll(() => rmSync(directory, { recursive: true }));

test('the unit file runs the bundle with the same flags', () => {
  const unit = readFileSync(new URL('berth-agent.service', import.meta.url), 'utf8');
  expect(unit).toContain(
    `ExecStart=/opt/berth-agent/bin/node ${NODE_FLAGS.join(' ')} /opt/berth-agent/${AGENT_BUNDLE} run\n`,
  );
  const settings = Object.entries(MALLOC_SETTINGS).map(([name, value]) => `${name}=${value}`);
  expect(unit).toContain(`\nEnvironment=${settings.join(' ')}\n`);
});

/** Loading them is most of what an agent can waste: see `agentBundle.ts`. */
const TOO_LARGE = [
  '_http_client',
  'internal/deps/undici/undici',
  'http2',
  'internal/webstreams/readablestream',
  'inspector',
];

test('the bundle starts with these flags, says nothing odd and loads nothing large', async () => {
  await build({
    ...agentBundleOptions,
    outfile,
    footer: { js: 'process.once("exit",()=>console.log(process.moduleLoadList.join("\\n")));' },
  });
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...NODE_FLAGS, outfile, '--help']);
  expect(stdout).toMatch(/^berth-agent \[run\]/);
  expect(stderr).toBe('');
  const loaded = stdout.split('\n').map((line) => line.replace('NativeModule ', ''));
  expect(loaded).toContain('tls');
  expect(loaded.filter((name) => TOO_LARGE.includes(name))).toEqual([]);
});

test('memory that is not used is returned, without which a process keeps what it once took', async () => {
  const script = join(directory, 'returns.cjs');
  await build({
    ...agentBundleOptions,
    entryPoints: [],
    stdin: {
      resolveDir: agentBundleOptions.absWorkingDir,
      contents: `
        import { returnUnusedMemory } from './agent/unusedMemory.ts';
        const rssBytes = () => process.memoryUsage.rss();
        // More than the young generation holds, in pieces that it holds.
        for (let round = 0; round < 200; round += 1) globalThis.last = Array.from({ length: 1000 }, () => [round]);
        const before = rssBytes();
        returnUnusedMemory();
        console.log(before - rssBytes());`,
    },
    outfile: script,
  });
  const run = async (flags: readonly string[]): Promise<number> =>
    Number((await promisify(execFile)(process.execPath, [...flags, script])).stdout);
  expect(await run(NODE_FLAGS)).toBeGreaterThan(1e6);
  expect(await run(NODE_FLAGS.filter((flag) => flag !== '--expose-gc'))).toBeLessThan(5e5);
});
