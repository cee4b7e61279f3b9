import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a guest's own disk is mounted (`guestImage`). */
export const DISK = '/disk';

const MIB = 2 ** 20;
const IMAGE_BYTES = 64 * MIB;

export interface SuiteDisk {
  readonly path: string;
  remove(): void;
}

/** A disk that nobody else uses: the guest's own, or on a machine in use a file as one. */
export function ownDisk(): SuiteDisk {
  if (process.env.BERTH_SUITE_NATIVE !== '1') return { path: DISK, remove: () => {} };
  const directory = mkdtempSync(join(tmpdir(), 'berth-disk-'));
  const [image, path] = [join(directory, 'image'), join(directory, 'mount')];
  const descriptor = openSync(image, 'w');
  ftruncateSync(descriptor, IMAGE_BYTES);
  closeSync(descriptor);
  mkdirSync(path);
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', image]);
  // Bound to the mount: the device is free again when that ends.
  execFileSync('mount', ['-o', 'loop', image, path]);
  return {
    path,
    remove: () => {
      execFileSync('umount', [path]);
      rmSync(directory, { recursive: true });
    },
  };
}

/** A file whose pages are in nobody's memory, so that the first task to read it has them counted as its own. */
export function coldFile(name: string, bytes: number): string {
  const path = `${DISK}/${name}`;
  const descriptor = openSync(path, 'w');
  for (let written = 0; written < bytes; written += MIB) writeSync(descriptor, Buffer.alloc(MIB, 1));
  closeSync(descriptor);
  return path;
}

/** Only what is clean is dropped: it is written out first. */
export function dropCaches(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
