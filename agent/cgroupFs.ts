import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs';

/** The agent's only way to cgroups, small enough for a fake that fails on purpose. Errors carry `code` (ENOENT, ...). */
export interface CgroupFs {
  read(file: string): string;
  write(file: string, value: string): void;
  /** Writes, and keeps the file open until the returned function is called: what lives as long as its descriptor. */
  hold(file: string, value: string): () => void;
  /** Names of subdirectories; empty when the directory is gone. */
  list(directory: string): string[];
  /** Undefined when the directory is gone. An inode outlives no cgroup, a path may. */
  inode(directory: string): number | undefined;
  /** Calls back with a file's name when it is written, or an entry appears or vanishes. Returns how to stop. */
  watch(directory: string, changed: (name: string | undefined) => void): () => void;
}

/** The kernel's. Synchronous, because these files are memory: a thread-pool hop costs thirty times the read itself. */
export class KernelCgroupFs implements CgroupFs {
  /** In one call of Node.js's own, which makes half the garbage of opening, reading and closing. */
  read(file: string): string {
    return readFileSync(file, 'utf8');
  }

  write(file: string, value: string): void {
    // Never O_CREAT: in a cgroup that has gone and come back, a plain file must not appear.
    const descriptor = openSync(file, constants.O_WRONLY);
    try {
      writeSync(descriptor, value);
    } finally {
      closeSync(descriptor);
    }
  }

  hold(file: string, value: string): () => void {
    const descriptor = openSync(file, constants.O_RDWR);
    try {
      writeSync(descriptor, value);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return () => closeSync(descriptor);
  }

  list(directory: string): string[] {
    try {
      return readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  inode(directory: string): number | undefined {
    return statSync(directory, { throwIfNoEntry: false })?.ino;
  }

  watch(directory: string, changed: (name: string | undefined) => void): () => void {
    const watcher = watch(directory, { persistent: true }, (_, name) => changed(name ?? undefined));
    // A watched group that is removed ends its watch with an error on some kernels: there is nothing left to watch.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  }
}

export const errorCode = (error: unknown): string =>
  (error as NodeJS.ErrnoException | undefined)?.code ?? 'UNKNOWN';
