import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentIsReady } from '../../agent/lock.ts';

/** How an instance's agent is started. */
export interface AgentCommand {
  /** Program and arguments; `--instance <id>` is appended, and is what the process is known by. */
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
}

const FIRST_BACK_OFF_MS = 200;
const MAX_BACK_OFF_MS = 10_000;
/** An agent that lived this long was well: its next death starts the back-off anew. */
const WELL_AFTER_MS = 30_000;
const READY_BOUND_MS = 10_000;
const READY_RETRY_MS = 20;
const STOP_BOUND_MS = 3_000;
const LOG_MAX_BYTES = 1_000_000;

/** Keeps one instance's agent running until it is stopped. The process outlives a killed parent on purpose. */
export class AgentProcess {
  readonly #instanceId: string;
  readonly #directory: string;
  readonly #command: AgentCommand;
  readonly #log: (line: string) => void;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #backOffMs = FIRST_BACK_OFF_MS;
  #stopped = false;

  constructor(instanceId: string, directory: string, command: AgentCommand, log: (line: string) => void) {
    this.#instanceId = instanceId;
    this.#directory = directory;
    this.#command = command;
    this.#log = log;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the agent and waits for it, within a bound; one that an earlier process left is replaced, since its settings may be old. */
  async start(): Promise<void> {
    await endAgent(this.#directory, this.#instanceId);
    this.#spawn();
    const deadline = Date.now() + READY_BOUND_MS;
    while (!(await agentIsReady(this.#instanceId))) {
      if (Date.now() >= deadline) {
        // The host takes tasks even so; they get their limits when the agent comes.
        this.#log(`agent of ${this.#instanceId} is not ready after ${READY_BOUND_MS} ms, see agent.log`);
        return;
      }
      await sleep(READY_RETRY_MS);
    }
  }

  #spawn(): void {
    if (this.#stopped) return;
    mkdirSync(this.#directory, { recursive: true });
    const output = openLog(join(this.#directory, 'agent.log'));
    const [program, ...args] = this.#command.argv;
    const startedAt = Date.now();
    const child = spawn(program, [...args, '--instance', this.#instanceId], {
      // Its own session: a Ctrl-C in the terminal is for the embedded AWS, which then ends its agents in order.
      detached: true,
      env: { PATH: process.env.PATH ?? '', ...this.#command.environment },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    child.unref();
    this.#child = child;
    if (child.pid !== undefined) writeFileSync(pidFile(this.#directory), String(child.pid));
    let over = false;
    const again = (why: string): void => {
      if (over || this.#stopped) return;
      over = true;
      if (Date.now() - startedAt >= WELL_AFTER_MS) this.#backOffMs = FIRST_BACK_OFF_MS;
      this.#log(`agent of ${this.#instanceId} ended (${why}), again in ${this.#backOffMs} ms`);
      this.#restart = setTimeout(() => this.#spawn(), this.#backOffMs);
      this.#backOffMs = Math.min(this.#backOffMs * 2, MAX_BACK_OFF_MS);
    };
    child.once('error', (error) => again(error.message));
    child.once('exit', (code, signal) => again(signal ?? `code ${code}`));
  }

  /** SIGTERM, then SIGKILL. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    await endAgent(this.#directory, this.#instanceId);
  }
}

const pidFile = (directory: string): string => join(directory, 'agent.pid');

/** One earlier file is kept when the log has grown past its bound. */
function openLog(file: string): number {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_MAX_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}

/** The agent of this instance by its pid file, when the process still is one. */
function agentPid(directory: string, instanceId: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(directory), 'utf8'));
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return argv[argv.indexOf('--instance') + 1] === instanceId ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Ends the agent that the pid file of an instance names, whoever started it. */
export async function endAgent(directory: string, instanceId: string): Promise<void> {
  const deadline = Date.now() + STOP_BOUND_MS;
  const first = agentPid(directory, instanceId);
  if (first !== undefined) signal(first, 'SIGTERM');
  for (;;) {
    const pid = agentPid(directory, instanceId);
    if (pid === undefined) break;
    if (Date.now() >= deadline) signal(pid, 'SIGKILL');
    await sleep(10);
  }
  rmSync(pidFile(directory), { force: true });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
