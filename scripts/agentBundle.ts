import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

/** Name of the bundle in the layer: Node.js takes a file of this ending for CommonJS. */
export const AGENT_BUNDLE = 'index.cjs';

/**
 * How the agent becomes one file. The caller adds `outfile`.
 *
 * CommonJS, because an ES module's `import ... from 'node:http'` reads every property of the module, and some of them load
 * HTTP/2, fetch and WebSocket when they are read: 11 MB of memory for that import alone.
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
