import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { type TarEntry, tar } from '../tar.ts';

export const NODE_IMAGE = 'berth/bench-node:latest';
export const SERVER_PORT = 8080;

/** Answers every request at once: what is measured is how long it waits to run. */
const SERVER = `require('node:http').createServer((q, r) => r.end('ok')).listen(${SERVER_PORT});`;

/** An image of this Node.js and an HTTP server, made of the machine's own files. */
export async function ensureNodeImage(docker: Docker): Promise<void> {
  const libraries = [
    ...execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/\/\S+\.so\S*/g),
  ];
  const files = new Map<string, { data: Uint8Array; mode: number }>([
    ['bin/node', { data: readFileSync(process.execPath), mode: 0o755 }],
    ['bin/busybox', { data: readFileSync('/bin/busybox'), mode: 0o755 }],
    ['server.js', { data: Buffer.from(SERVER), mode: 0o644 }],
  ]);
  for (const [library] of libraries)
    files.set(library.slice(1), { data: readFileSync(library), mode: 0o755 });
  const directories = new Set([...files.keys()].flatMap(parents));
  const entries: TarEntry[] = [
    ...[...directories, 'tmp'].sort().map((path): TarEntry => ({ path: `${path}/`, kind: 'directory' })),
    ...[...files].map(([path, file]): TarEntry => ({ path, kind: 'file', ...file })),
    ...['sh', 'dd', 'rm', 'sleep', 'tail', 'true', 'head'].map(
      (name): TarEntry => ({ path: `bin/${name}`, kind: 'symlink', target: 'busybox' }),
    ),
  ];
  const [repo, tag] = NODE_IMAGE.split(':');
  const progress = await docker.importImage(Readable.from([tar(entries)]), {
    repo,
    tag,
    changes: ['ENV PATH=/bin'],
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error: Error | null) =>
      error === null ? resolve() : reject(error),
    );
  });
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
