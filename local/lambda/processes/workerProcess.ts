import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exited, type FailureBody, timedOut } from '../failures.ts';
import type { FunctionRecord } from '../function.ts';
import type { InvocationOutcome, InvocationRequest } from '../runner.ts';
import { type WorkerPlace, workerEnvironment } from './environment.ts';
import type { InvokeMessage, WorkerMessage } from './messages.ts';
import { readOutput } from './outputReader.ts';

const BOOTSTRAP = fileURLToPath(new URL('./bootstrap.ts', import.meta.url));
/** Makes the kernel end the worker with the engine, even one stuck in a loop that never reads its channel. */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
/** How long output may trail behind the answer or the exit it belongs to. */
const OUTPUT_GRACE_MS = 250;

export type StartOutcome =
  | { readonly kind: 'ready'; readonly initMs: number }
  | { readonly kind: 'failed'; readonly error: FailureBody; readonly initMs: number };

/** `untouched`: the process went away before the handler was called, so the event may go to another worker. */
export type RunOutcome = InvocationOutcome | 'untouched';

export interface WorkerHooks {
  started(requestId: string, logStreamName: string): void;
  output(logStreamName: string, requestId: string | undefined, line: string): void;
  gone(worker: WorkerProcess): void;
}

interface Run {
  readonly request: InvocationRequest;
  readonly startedAt: number;
  readonly settle: (outcome: RunOutcome) => void;
  readonly timer: NodeJS.Timeout;
  accepted: boolean;
  timedOut: boolean;
  result?: Extract<WorkerMessage, { kind: 'result' }>;
  /** Output streams whose end marker is still to come. */
  openStreams: number;
}

/** One operating-system process that holds one function and works on one invocation at a time. */
export class WorkerProcess {
  readonly logStreamName: string;
  readonly started: Promise<StartOutcome>;
  readonly #fn: FunctionRecord;
  readonly #hooks: WorkerHooks;
  readonly #child: ChildProcess;
  #run: Run | undefined;
  #rssBytes = 0;
  #gone = false;

  constructor(
    fn: FunctionRecord,
    place: WorkerPlace,
    options: { readonly logStreamName: string; readonly initTimeoutMs: number },
    hooks: WorkerHooks,
  ) {
    this.#fn = fn;
    this.#hooks = hooks;
    this.logStreamName = options.logStreamName;
    const node = [
      process.execPath,
      `--max-old-space-size=${Math.floor(fn.memoryMiB * 0.9)}`,
      `--max-semi-space-size=${Math.max(1, Math.floor(fn.memoryMiB * 0.05))}`,
      BOOTSTRAP,
    ];
    const [command = '', ...args] = SETPRIV ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...node] : node;
    this.#child = spawn(command, args, {
      cwd: fn.codeDir,
      env: workerEnvironment(fn, place, options.logStreamName),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own process group: Ctrl-C in the terminal is for the engine, which then ends its workers in order.
      detached: true,
    });
    this.started = this.#watchStart(options.initTimeoutMs);
    this.#watchOutput();
    this.#child.on('exit', (code, signal) => this.#exited(code, signal));
    this.#child.on('message', (message) => this.#received(message as WorkerMessage));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return !this.#gone;
  }

  run(request: InvocationRequest): Promise<RunOutcome> {
    return new Promise((settle) => {
      if (this.#gone) return settle('untouched');
      const timeoutMs = this.#fn.timeoutSeconds * 1000;
      const timer = setTimeout(() => this.#timeOut(), timeoutMs);
      const run: Run = {
        request,
        startedAt: performance.now(),
        settle,
        timer,
        accepted: false,
        timedOut: false,
        openStreams: 2,
      };
      this.#run = run;
      this.#hooks.started(request.requestId, this.logStreamName);
      const message: InvokeMessage = {
        kind: 'invoke',
        requestId: request.requestId,
        functionArn: this.#fn.arn,
        payload: request.payload,
        traceId: request.traceId,
        deadlineMs: Date.now() + timeoutMs,
        ...(request.clientContext ? { clientContext: request.clientContext } : {}),
      };
      // A failed send means the process is going: its exit settles the run.
      this.#child.send(message, () => {});
    });
  }

  /** Ends the process and whatever it started. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: it is gone already, which is what was asked for.
    }
  }

  #watchStart(initTimeoutMs: number): Promise<StartOutcome> {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const fail = (error: FailureBody): void => {
        clearTimeout(timer);
        this.kill();
        resolve({ kind: 'failed', error, initMs: performance.now() - startedAt });
      };
      const timer = setTimeout(() => fail(timedOut('init', initTimeoutMs)), initTimeoutMs);
      this.#child.on('message', (raw) => {
        const message = raw as WorkerMessage;
        if (message.kind === 'init-failed') fail(message.error);
        if (message.kind !== 'ready') return;
        clearTimeout(timer);
        resolve({ kind: 'ready', initMs: performance.now() - startedAt });
      });
      this.#child.on('exit', (code, signal) => fail(exited('init', code, signal)));
      this.#child.on('error', (error) => {
        if (this.#child.pid !== undefined) return;
        fail({ errorType: 'Runtime.InvalidEntrypoint', errorMessage: error.message });
        this.#exited(null, 'SIGKILL');
      });
    });
  }

  #watchOutput(): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (!stream) continue;
      readOutput(stream, {
        line: (text) => this.#hooks.output(this.logStreamName, this.#run?.request.requestId, text),
        end: (requestId) => {
          const run = this.#run;
          if (run?.request.requestId !== requestId) return;
          run.openStreams -= 1;
          if (run.openStreams === 0 && run.result) this.#finish(run);
        },
      });
    }
  }

  #received(message: WorkerMessage): void {
    const run = this.#run;
    if (!run || !('requestId' in message) || message.requestId !== run.request.requestId) return;
    if (message.kind === 'accepted') {
      run.accepted = true;
      return;
    }
    run.result = message;
    this.#rssBytes = message.rssBytes;
    clearTimeout(run.timer);
    if (run.openStreams === 0) this.#finish(run);
    else setTimeout(() => this.#finish(run), OUTPUT_GRACE_MS);
  }

  #timeOut(): void {
    const run = this.#run;
    if (!run) return;
    run.timedOut = true;
    this.kill();
  }

  #exited(code: number | null, signal: string | null): void {
    if (this.#gone) return;
    this.#gone = true;
    // What the function started must not outlive its environment.
    this.kill();
    this.#hooks.gone(this);
    const run = this.#run;
    if (!run) return;
    clearTimeout(run.timer);
    // The last lines may still be in the pipes; a grandchild that holds them open is not waited for.
    const settle = (): void => this.#finish(run, exited(run.request.requestId, code, signal));
    this.#child.once('close', settle);
    setTimeout(settle, OUTPUT_GRACE_MS);
  }

  #finish(run: Run, exit?: FailureBody): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    const isUntouched = exit && !run.result && !run.accepted && !run.timedOut;
    run.settle(isUntouched ? 'untouched' : this.#outcome(run, exit));
  }

  #outcome(run: Run, exit: FailureBody | undefined): InvocationOutcome {
    const measured = {
      durationMs: performance.now() - run.startedAt,
      maxMemoryUsedMiB: Math.ceil(this.#rssBytes / 2 ** 20),
    };
    if (run.result?.payload !== undefined) {
      return { status: 'success', payload: run.result.payload, ...measured };
    }
    const timeoutMs = this.#fn.timeoutSeconds * 1000;
    const late = run.timedOut ? timedOut(run.request.requestId, timeoutMs) : undefined;
    const error = run.result?.error ?? late ?? exit ?? exited(run.request.requestId, null, 'SIGKILL');
    return {
      status: error === late ? 'timeout' : 'error',
      payload: JSON.stringify(error),
      errorType: error.errorType,
      ...measured,
    };
  }
}
