import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');

export interface BerthOptions {
  readonly dataDir?: string;
  /** Template parameters over the defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly bootMs?: number;
  /** Refusals that the test itself brings about, by what their line holds; every other one fails it. */
  readonly provokes?: string;
}

/** The embedded AWS as its own process, started the way `npm start` starts it, without the demo. */
export class Berth {
  readonly dataDir: string;
  readonly #options: BerthOptions;
  #process: ChildProcess | undefined;
  #port = 0;
  readonly output: string[] = [];

  constructor(options: BerthOptions = {}) {
    this.#options = options;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'berth-e2e-'));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the embedded AWS is not running');
    return pid;
  }

  async start(): Promise<void> {
    const args = [
      'local/main.ts',
      '--no-demo',
      '--json',
      '--data',
      this.dataDir,
      '--port',
      String(this.#port),
    ];
    if (this.#options.bootMs !== undefined) args.push('--boot-ms', String(this.#options.bootMs));
    for (const [name, value] of Object.entries(this.#options.parameters ?? {}))
      args.push('--parameter', `${name}=${value}`);
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let ready: string | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.output.push(line);
        if (line.includes('"ready"')) ready = line;
      });
    }
    await until('the embedded AWS is ready', 60_000, () => {
      if (child.exitCode !== null)
        throw new Error(`it exited with ${child.exitCode}:\n${this.output.join('\n')}`);
      return ready !== undefined;
    });
    this.#port = Number(new URL((JSON.parse(ready as string) as { endpoint: string }).endpoint).port);
  }

  /** As Ctrl-C does. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGINT');
    await until(
      'the embedded AWS has stopped',
      60_000,
      () => child.exitCode !== null || child.signalCode !== null,
    );
    this.#process = undefined;
    // A function that is refused something tries again and goes on without it: only its log tells.
    const { provokes } = this.#options;
    const refused = this.output.filter(
      (line) =>
        line.includes('is not authorized to perform') && !(provokes !== undefined && line.includes(provokes)),
    );
    if (refused.length > 0) throw new Error(`template.yaml lacks permissions:\n${refused.join('\n')}`);
  }

  async kill9(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    child.kill('SIGKILL');
    await until('the embedded AWS is dead', 10_000, () => child.signalCode !== null);
    this.#process = undefined;
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Runs the real AWS CLI through `scripts/aws`; the answer is parsed when it is JSON. */
  async aws<T = unknown>(...args: readonly string[]): Promise<T> {
    return this.#client(join(root, 'scripts/aws'), args, {});
  }

  /** The same through another client, e.g. AWS CLI v1 of the test environment. */
  async awsWith<T = unknown>(cli: string, ...args: readonly string[]): Promise<T> {
    return this.#client(join(root, 'scripts/aws'), args, { BERTH_AWS_CLI: cli });
  }

  async #client<T>(
    command: string,
    args: readonly string[],
    more: Readonly<Record<string, string>>,
  ): Promise<T> {
    const { stdout } = await run(command, [...args], {
      cwd: root,
      env: { ...process.env, BERTH_ENDPOINT: this.endpoint, AWS_DEFAULT_OUTPUT: 'json', ...more },
      maxBuffer: 64 * 1024 * 1024,
    });
    return (stdout.trim() ? JSON.parse(stdout) : undefined) as T;
  }

  /** Invokes the operator's function with the CLI and returns its answer. */
  async operate<T = Record<string, unknown>>(command: object): Promise<T> {
    const out = join(this.dataDir, `answer-${process.hrtime.bigint()}.json`);
    const { readFileSync } = await import('node:fs');
    await this.aws(
      'lambda',
      'invoke',
      '--function-name',
      'berth-operate',
      '--cli-binary-format',
      'raw-in-base64-out',
      '--payload',
      JSON.stringify(command),
      out,
    );
    const answer = JSON.parse(readFileSync(out, 'utf8')) as T;
    rmSync(out);
    return answer;
  }
}

export { root };
