import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from 'dockerode';

/** Tasks whose logs are kept; the oldest go first. */
const KEPT_LOGS = 1_000;
/** The first save of a process looks for logs to drop, and then every so many. */
const PRUNED_EVERY = 100;
const FRAME_HEADER_BYTES = 8;

/** What the hosts keep on disk below the data directory. */
export class HostFiles {
  readonly #dataDir: string;
  readonly #keptLogs: number;
  #saved = 0;

  constructor(dataDir: string, keptLogs = KEPT_LOGS) {
    this.#dataDir = dataDir;
    this.#keptLogs = keptLogs;
  }

  instanceDirectory(instanceId: string): string {
    return join(this.#dataDir, 'hosts', instanceId);
  }

  /** Instances that were made here and not yet removed. */
  instances(): string[] {
    const directory = join(this.#dataDir, 'hosts');
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  createInstance(instanceId: string): void {
    mkdirSync(join(this.instanceDirectory(instanceId), 'tasks'), { recursive: true });
  }

  removeInstance(instanceId: string): void {
    rmSync(this.instanceDirectory(instanceId), { recursive: true, force: true });
  }

  #mark(instanceId: string, ecsTaskId: string): string {
    return join(this.instanceDirectory(instanceId), 'tasks', ecsTaskId);
  }

  /**
   * Written before a task's first container: if the containers are gone after a crash, the task has run and must not
   * run again.
   */
  markLaunched(instanceId: string, ecsTaskId: string): void {
    writeFileSync(this.#mark(instanceId, ecsTaskId), '');
  }

  wasLaunched(instanceId: string, ecsTaskId: string): boolean {
    return existsSync(this.#mark(instanceId, ecsTaskId));
  }

  forgetLaunch(instanceId: string, ecsTaskId: string): void {
    rmSync(this.#mark(instanceId, ecsTaskId), { force: true });
  }

  /** Copies what a container wrote to `logs/<ecsTaskId>/<file>`, so that it outlives the container. */
  async saveLog(container: Container, ecsTaskId: string, file: string): Promise<void> {
    const framed: Buffer = await container.logs({ stdout: true, stderr: true, follow: false });
    const directory = join(this.#dataDir, 'logs', ecsTaskId);
    mkdirSync(directory, { recursive: true });
    await writeFile(join(directory, file), unframe(framed));
    if (this.#saved++ % PRUNED_EVERY === 0) this.#pruneLogs();
  }

  #pruneLogs(): void {
    const directory = join(this.#dataDir, 'logs');
    const names = readdirSync(directory);
    if (names.length <= this.#keptLogs) return;
    const aged = names.map((name) => ({ name, atMs: statSync(join(directory, name)).mtimeMs }));
    aged.sort((a, b) => a.atMs - b.atMs);
    for (const { name } of aged.slice(0, names.length - this.#keptLogs)) {
      rmSync(join(directory, name), { recursive: true, force: true });
    }
  }
}

/** Docker frames a log without a terminal: one byte of stream, three of zero, four of length, then the bytes. */
export function unframe(framed: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + FRAME_HEADER_BYTES <= framed.length; ) {
    const end = at + FRAME_HEADER_BYTES + framed.readUInt32BE(at + 4);
    parts.push(framed.subarray(at + FRAME_HEADER_BYTES, end));
    at = end;
  }
  return Buffer.concat(parts);
}
