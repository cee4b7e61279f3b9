import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, OWNER_VARIABLE, ownerText } from './owner.ts';

const READY_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 10;
const STOP_TIMEOUT_MS = 3_000;
const MAX_START_ATTEMPTS = 3;
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
  /** Resolves with the reason when the child ends. */
  #ended: Promise<string>;
  #listening = false;
  #stopping = false;

  private constructor(options: DatabaseServerOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#ended = this.#spawn();
    process.once('exit', this.#endWithUs);
  }

  /** Resolves when the server answers. Rejects when it ends or does not answer within 10 s. */
  static async start(options: DatabaseServerOptions): Promise<DatabaseServer> {
    // Another process may take the port between our finding it and the server's taking it.
    for (let attempt = 1; ; attempt += 1) {
      const server = new DatabaseServer(options, await freePort());
      try {
        await Promise.race([server.#untilReady(), server.#untilEnded()]);
        void server.#keepRunning();
        return server;
      } catch (error) {
        await server.stop();
        if (attempt === MAX_START_ATTEMPTS) throw error;
      }
    }
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
    child?.kill('SIGTERM');
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #spawn(): Promise<string> {
    const { binary, databaseFile } = this.#options;
    const owner = identify(process.pid);
    this.#listening = false;
    const child = spawn(binary, ['--port', String(this.#port), '--db-path', databaseFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // A Ctrl-C goes to the whole group of a terminal: the engine is to end by `stop`, after all that writes to it.
      detached: true,
      env: { ...process.env, ...(owner === undefined ? {} : { [OWNER_VARIABLE]: ownerText(owner) }) },
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.#hear(line));
    return new Promise((resolve) => {
      const end = (reason: string): void => {
        this.#child = undefined;
        resolve(reason);
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => end(signal ?? `code ${code}`));
    });
  }

  #hear(line: string): void {
    if (line.includes('listening on')) this.#listening = true;
    else if (line.startsWith('error')) this.#options.log(`dynamodb: ${line}`);
  }

  async #keepRunning(): Promise<void> {
    let restartMs = MIN_RESTART_MS;
    while (!this.#stopping) {
      const startedMs = Date.now();
      const reason = await this.#ended;
      if (this.#stopping) return;
      const ranMs = Date.now() - startedMs;
      restartMs = ranMs >= STABLE_MS ? MIN_RESTART_MS : Math.min(restartMs * 2, MAX_RESTART_MS);
      this.#options.log(`dynamodb ended (${reason}) after ${ranMs} ms; starting again in ${restartMs} ms`);
      await sleep(restartMs, undefined, { ref: false });
      if (!this.#stopping) this.#ended = this.#spawn();
    }
  }

  async #untilEnded(): Promise<never> {
    throw new Error(`the DynamoDB engine ended at once (${await this.#ended})`);
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadline) {
      // Its own word first: on its port there may be another server.
      if (this.#listening && (await this.#answers())) return;
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
