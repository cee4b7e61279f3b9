import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { type TarEntry, tar } from './tar.ts';

export const DEMO_IMAGE = 'berth/demo:latest';

const BUSYBOX = '/bin/busybox';
const APPLETS =
  'cat cut date dd echo env expr false grep head hostname httpd id ip kill ls md5sum mkdir nc nproc \
ping printf ps rm seq sh sleep stat sync tail test timeout top touch true tr wc wget yes'.split(' ');
const SOURCE_LABEL = 'berth.source';

/**
 * Makes the demo image from the machine's static busybox, without a registry; an image of the same busybox is kept.
 * Throws when busybox is missing, with what to install.
 */
export async function ensureDemoImage(docker: Docker): Promise<void> {
  const archive = tar(demoFiles());
  const source = createHash('sha256').update(archive).digest('hex');
  const present = await docker.listImages({
    filters: { reference: [DEMO_IMAGE], label: [`${SOURCE_LABEL}=${source}`] },
  });
  if (present.length > 0) return;
  const [repo, tag] = DEMO_IMAGE.split(':');
  const progress = await docker.importImage(Readable.from([archive]), {
    repo,
    tag,
    changes: ['CMD ["/bin/sh"]', 'ENV PATH=/bin', `LABEL ${SOURCE_LABEL}=${source}`],
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error: Error | null) =>
      error === null ? resolve() : reject(error),
    );
  });
}

function demoFiles(): TarEntry[] {
  let busybox: Buffer;
  try {
    busybox = readFileSync(BUSYBOX);
  } catch (error) {
    throw new Error(
      `The demo image is made of ${BUSYBOX}. Install it with \`apt-get install busybox-static\`.`,
      {
        cause: error,
      },
    );
  }
  return [
    ...['bin', 'etc', 'tmp', 'www'].map((path) => ({ path: `${path}/`, kind: 'directory' }) as const),
    { path: 'bin/busybox', kind: 'file', data: busybox, mode: 0o755 },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, kind: 'symlink', target: 'busybox' }) as const),
    { path: 'etc/passwd', kind: 'file', data: Buffer.from('root:x:0:0:root:/:/bin/sh\n'), mode: 0o644 },
    { path: 'www/index.html', kind: 'file', data: Buffer.from('Berth\n'), mode: 0o644 },
  ];
}
