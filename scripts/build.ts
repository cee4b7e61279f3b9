import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { build } from 'esbuild';
import { AGENT_BUNDLE, agentBundleOptions } from './agentBundle.ts';
import { BUNDLE_LIMIT_BYTES, bundleOptions } from './bundle.ts';

/**
 * Builds what the template deploys: one bundle a function under dist/functions/<name>, and the agent's layer with the
 * Node.js it runs on under dist/agent-layer. Prints every function's size against its budget; over budget fails.
 */

const KIB = 1024;
const BUDGET_KIB = BUNDLE_LIMIT_BYTES / KIB;
/** They carry the EC2 client, which alone is larger than the budget. */
const withEc2 = new Set(['provision', 'reconcile']);
const BUDGET_WITH_EC2_KIB = 1_400;

const quiet = process.argv.includes('--quiet');
const dist = 'dist';

const names = readdirSync('functions', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

// What a deleted function has left is removed; the rest is replaced in place, so that a running stack keeps its code.
if (existsSync(`${dist}/functions`)) {
  for (const built of readdirSync(`${dist}/functions`)) {
    if (!names.includes(built)) rmSync(`${dist}/functions/${built}`, { recursive: true });
  }
}
await Promise.all(
  names.map((name) =>
    build({
      ...bundleOptions,
      entryPoints: [`functions/${name}/index.ts`],
      outfile: `${dist}/functions/${name}/index.mjs`,
    }),
  ),
);
await build({ ...agentBundleOptions, outfile: `${dist}/agent-layer/${AGENT_BUNDLE}` });
mkdirSync(`${dist}/agent-layer/bin`, { recursive: true });
copyFileSync(process.execPath, `${dist}/agent-layer/bin/node`);
chmodSync(`${dist}/agent-layer/bin/node`, 0o755);
if (existsSync('agent/berth-agent.service')) {
  copyFileSync('agent/berth-agent.service', `${dist}/agent-layer/berth-agent.service`);
}

let over = 0;
for (const name of names) {
  const kib = statSync(`${dist}/functions/${name}/index.mjs`).size / KIB;
  const budget = withEc2.has(name) ? BUDGET_WITH_EC2_KIB : BUDGET_KIB;
  const exceeded = kib > budget;
  if (exceeded) over += 1;
  if (!quiet || exceeded) {
    console.log(
      `${name.padEnd(10)} ${kib.toFixed(0).padStart(5)} KiB of ${budget} KiB${exceeded ? '  OVER BUDGET' : ''}`,
    );
  }
}
if (!quiet) {
  console.log(
    `${'agent'.padEnd(10)} ${(statSync(`${dist}/agent-layer/${AGENT_BUNDLE}`).size / KIB).toFixed(0).padStart(5)} KiB`,
  );
}
if (over > 0) {
  console.error(`${over} bundles are over their budget: see what they carry with esbuild --analyze.`);
  process.exitCode = 1;
}
