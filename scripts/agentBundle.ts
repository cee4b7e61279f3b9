import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

/** Name of the bundle in the layer: Node.js takes a file of this ending for CommonJS. */
export const AGENT_BUNDLE = 'index.cjs';

/**
 * How the agent becomes one file. The caller adds `outfile`.
 *
 * CommonJS: its start loads less of Node.js than an ES module's, whose imports of built-in modules read every property, also
 * of those that load something large when they are read.
 */
export const agentBundleOptions = {
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  entryPoints: ['agent/main.ts'],
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  mainFields: ['module', 'main'],
  conditions: ['module'],
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;
