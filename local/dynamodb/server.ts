import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, OWNER_VARIABLE, ownerText } from './owner.ts';

const READY_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 10;
const STOP_TIMEOUT_MS = 3_000;
const MIN_RESTART_MS = 20;
const MAX_RESTART_MS = 2_000;
/** A server that ran this long starts again at once; one that dies sooner waits twice as long each time. */
const STABLE_MS = 10_000;

/** The path of the database server. Throws when its package is not installed, which is so on other platforms. */
export function databaseBinary(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json');
    return join(dirname(manifest), 'dynoxide');
  } catch (cause) {
    throw new Error('the DynamoDB engine (@dynoxide/linux-x64) is not installed: it runs on linux/x64', {
      cause,
    });
  }
}

export interface DatabaseServerOptions {
  readonly binary: string;
  readonly databaseFile: string;
  readonly log: (line: string) => void;
}

/** The database server as a child process on a port of its own, started again whenever it dies. */
export class DatabaseServer {
  readonly #options: DatabaseServerOptions;
  readonly #port: number;
  readonly #endWithUs = (): void => {
    this.#child?.kill('SIGKILL');
  };
  #child: ChildProcess | undefined;
  #stopping = false;
  #restartMs = MIN_RESTART_MS;

  private constructor(options: DatabaseServerOptions, port: number) {
    this.#options = options;
    this.#port = port;
  }

  /** Resolves when the server answers. Rejects when it does not within 10 s. */
  static async start(options: DatabaseServerOptions): Promise<DatabaseServer> {
    const server = new DatabaseServer(options, await freePort());
    process.once('exit', server.#endWithUs);
    server.#spawn();
    try {
      await server.#untilReady();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Undefined between a death and the restart. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    process.off('exit', this.#endWithUs);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  #spawn(): void {
    const { binary, databaseFile, log } = this.#options;
    const owner = identify(process.pid);
    const startedMs = Date.now();
    const child = spawn(binary, ['--port', String(this.#port), '--db-path', databaseFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...(owner === undefined ? {} : { [OWNER_VARIABLE]: ownerText(owner) }) },
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => log(`dynamodb: ${text.trimEnd()}`));
    child.once('error', (error) => log(`dynamodb: ${error.message}`));
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      if (!this.#stopping) this.#restart(signal ?? `code ${code}`, Date.now() - startedMs);
    });
  }

  #restart(reason: string, ranMs: number): void {
    this.#restartMs = ranMs >= STABLE_MS ? MIN_RESTART_MS : Math.min(this.#restartMs * 2, MAX_RESTART_MS);
    this.#options.log(
      `dynamodb ended (${reason}) after ${ranMs} ms; starting again in ${this.#restartMs} ms`,
    );
    setTimeout(() => {
      if (!this.#stopping) this.#spawn();
    }, this.#restartMs).unref();
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (await this.#answers()) return;
      await sleep(READY_POLL_MS);
    }
    throw new Error(`the DynamoDB engine did not answer within ${READY_TIMEOUT_MS} ms`);
  }

  async #answers(): Promise<boolean> {
    try {
      const answer = await fetch(this.url, { signal: AbortSignal.timeout(1_000) });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
