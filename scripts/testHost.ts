import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { type GuestKind, guestImage } from '../agent/hostSuite/guestImage.ts';
import { runGuest } from '../agent/hostSuite/qemu.ts';
import { fromCommandLine, oneOf, parseOptions, whole } from '../local/cli/commandLine.ts';
import { agentBundleOptions } from './agentBundle.ts';

const KERNELS = ['native', 'v1', 'v2', 'v2-systemd'] as const;
type Kernel = (typeof KERNELS)[number];

const HELP = `The agent's suite on this machine's kernel and on those of virtual machines, with both versions of cgroups.

  npm run test:host -- [options]

  --only KERNEL   one of ${KERNELS.join(', ')}
  --kills N       how often the agent is killed (200)
  --rest-ms N     how long it is watched at rest (60000)
  --help          this text

Exit codes: 0 all passed, 1 a kernel failed, 2 the options are wrong.`;

const options = fromCommandLine(HELP, (argv) => {
  const values = parseOptions(argv, {
    only: { type: 'string' },
    kills: { type: 'string', default: '200' },
    'rest-ms': { type: 'string', default: '60000' },
  });
  return {
    kernels: values.only === undefined ? KERNELS : [oneOf('only', values.only, KERNELS)],
    kills: whole('kills', values.kills, { min: 1 }),
    restMs: whole('rest-ms', values['rest-ms'], { min: 1 }),
  };
});
const CACHE = '.cache/host-kernels';
const BUNDLES = `${CACHE}/bundles`;
const GUEST_BOUND_MS = 540_000;
const settings = { BERTH_SUITE_KILLS: String(options.kills), BERTH_SUITE_REST_MS: String(options.restMs) };

async function bundle(): Promise<void> {
  rmSync(BUNDLES, { recursive: true, force: true });
  mkdirSync(BUNDLES, { recursive: true });
  await build({ ...agentBundleOptions, outfile: `${BUNDLES}/main.cjs` });
  await build({
    entryPoints: ['agent/hostSuite/suite.ts'],
    outfile: `${BUNDLES}/suite.mjs`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
}

const show = (name: string, line: string): void => {
  if (/^\s*(✔|✖|﹣|not ok)|AssertionError|Error:/.test(line))
    console.log(`${name.padEnd(11)} ${line.trimEnd()}`);
};

function native(): Promise<number | undefined> {
  const env = {
    ...process.env,
    ...settings,
    BERTH_AGENT_ENTRY: `${BUNDLES}/main.cjs`,
    BERTH_SUITE_NATIVE: '1',
  };
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${BUNDLES}/suite.mjs`], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) show('native', line);
    });
    child.once('close', (code) => resolve(code ?? undefined));
  });
}

/** The agent's deaths and its rest on v1 are this machine's to see at length: its guest is for what would hurt a machine in use. */
const V1_SETTINGS = {
  BERTH_SUITE_KILLS: String(Math.min(options.kills, 10)),
  BERTH_SUITE_REST_MS: String(Math.min(options.restMs, 10_000)),
};

async function inGuest(kind: GuestKind): Promise<number | undefined> {
  const guest = guestImage(kind, CACHE, BUNDLES);
  const own = kind === 'v1' ? V1_SETTINGS : settings;
  const { exitCode, output } = await runGuest(guest, own, GUEST_BOUND_MS, (line) => show(kind, line));
  if (exitCode !== 0) console.log(output.split('\n').slice(-80).join('\n'));
  return exitCode;
}

/** Two at a time, in lanes of about the same length: emulated kernels starve each other of two cores long before they fail. */
const lanes: readonly (readonly (readonly [Kernel, () => Promise<number | undefined>])[])[] = [
  [
    ['v2-systemd', () => inGuest('v2-systemd')],
    ['v1', () => inGuest('v1')],
  ],
  [
    ['native', native],
    ['v2', () => inGuest('v2')],
  ],
];

await bundle();
const started = performance.now();
const codes = new Map<Kernel, number | undefined>();
await Promise.all(
  lanes.map(async (lane) => {
    for (const [name, run] of lane) {
      if (options.kernels.includes(name)) codes.set(name, await run());
    }
  }),
);
for (const [name, code] of codes) console.log(`${name.padEnd(11)} ${code === 0 ? 'passed' : 'FAILED'}`);
console.log(`${Math.round((performance.now() - started) / 1000)} s`);
if ([...codes.values()].some((code) => code !== 0)) process.exitCode = 1;
