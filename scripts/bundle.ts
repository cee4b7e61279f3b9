import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';

/** Minified size that a function's bundle must not exceed; `provision` carries the EC2 client and has its own. */
export const BUNDLE_LIMIT_BYTES = 400 * 1024;

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every SDK client imports its whole package.json to say its version: two kilobytes each of scripts and dependencies. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]@aws-sdk[\\/].*[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { readonly version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/**
 * DynamoDB's client prepares for endpoint discovery, which none of its operations uses: it brings a cache in CommonJS, of which
 * nothing can be left out (8 KiB).
 */
const withoutEndpointDiscovery: Plugin = {
  name: 'without-endpoint-discovery',
  setup(build) {
    build.onLoad({ filter: /[\\/]resolveEndpointDiscoveryConfig\.js$/ }, () => ({
      contents: 'export const resolveEndpointDiscoveryConfig = (config) => config;',
    }));
  },
};

/** What Smithy keeps for surroundings that a function never has (12 KiB): asking for it fails with the reason. */
const neverNeeded: Readonly<Record<string, string>> = {
  Sha256Js: 'Node.js has no crypto of its own',
  Md5Js: 'Node.js has no crypto of its own',
  getInstanceMetadataRegion: 'AWS_REGION is not set, which Lambda does',
  AdaptiveRetryStrategy: 'AWS_RETRY_MODE=adaptive is not part of this bundle: leave it unset',
  HeaderFormatter: 'Event streams are not part of this bundle',
};

const withoutFallbacks: Plugin = {
  name: 'without-fallbacks',
  setup(build) {
    const file = new RegExp(`[\\\\/]@smithy[\\\\/].*[\\\\/](${Object.keys(neverNeeded).join('|')})\\.js$`);
    build.onLoad({ filter: file }, ({ path }) => {
      const name = file.exec(path)?.[1] ?? '';
      const fail = `throw new Error(${JSON.stringify(neverNeeded[name])});`;
      // Every signer makes one of these, and none asks it for anything.
      if (name === 'HeaderFormatter') return { contents: `export class ${name} { format() { ${fail} } }` };
      return { contents: `export function ${name}() { ${fail} }` };
    });
  },
};

/**
 * How a function becomes one file for `nodejs24.x`. The caller adds `entryPoints` and `outfile` or `outdir`.
 *
 * - `mainFields` and `conditions`: the SDK and Smithy publish ES modules under `module`; esbuild's defaults for Node
 *   take their CommonJS twins, of which nothing can be left out (724 KiB instead of 432 KiB for DynamoDB, SQS and ECS).
 * - `alias`: see `lambdaCredentials.ts` (another 90 KiB).
 * - `external`: Smithy imports its event streams when an operation has one; none that Berth calls does (15 KiB).
 * - `banner`: CommonJS packages inside an ES module still call `require` for Node's own modules.
 */
export const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  mainFields: ['module', 'main'],
  conditions: ['module'],
  alias: { '@aws-sdk/credential-provider-node': './layers/runtime/lambdaCredentials.ts' },
  external: ['@smithy/core/event-streams'],
  plugins: [versionOnly, withoutEndpointDiscovery, withoutFallbacks],
  banner: {
    js: "import{createRequire as berthRequire}from'node:module';const require=berthRequire(import.meta.url);",
  },
  legalComments: 'none',
  sourcemap: false,
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;

/** Minified bytes of a bundle by package, largest first: what to look at when a budget is exceeded. */
export function bytesByPackage(metafile: Metafile): [name: string, bytes: number][] {
  const sizes = new Map<string, number>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const [, inPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
      const name = inPackage ?? path.split('/').slice(0, 2).join('/');
      sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...sizes].sort(([, a], [, b]) => b - a);
}
