import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { exited, type FailureBody } from '../failures.ts';
import type { FunctionRecord } from '../function.ts';
import type {
  FunctionRunner,
  InvocationOutcome,
  InvocationRequest,
  RunnerFactory,
  RunnerObserver,
} from '../runner.ts';
import type { WorkerPlace } from './environment.ts';
import { StartGate } from './startGate.ts';
import { WorkerProcess } from './workerProcess.ts';

export interface ProcessRunnerOptions extends WorkerPlace {
  /** Processes a function may have at once; 10 when absent. Reserved concurrency lowers it. */
  readonly maxWorkersPerFunction?: number;
  /** A worker unused for so long ends, unless provisioned; 10 minutes when absent. */
  readonly idleMs?: number;
  /** How long loading the function's module may take; 30 s when absent (AWS: 10 s on a core of one's own). */
  readonly initTimeoutMs?: number;
}

interface Waiting {
  readonly request: InvocationRequest;
  readonly settle: (outcome: InvocationOutcome) => void;
  /** How often a worker went away before it began with this event. */
  losses: number;
}

/**
 * How long an event waits for a busy worker before another one is started for it. A warm handler is done in a few
 * milliseconds, a start takes a tenth of a second of a whole core: without the wait a burst would spend the machine on
 * starting workers that find nothing left to do.
 */
const GROW_AFTER_MS = 30;
const MAX_LOSSES = 3;
const DEFAULT_IDLE_MS = 600_000;
const DEFAULT_INIT_TIMEOUT_MS = 30_000;

function logStreamName(nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
}

const failed = (error: FailureBody, durationMs: number): InvocationOutcome => ({
  status: 'error',
  payload: JSON.stringify(error),
  errorType: error.errorType,
  durationMs,
  maxMemoryUsedMiB: 0,
});

const killed = ({ requestId }: InvocationRequest): InvocationOutcome =>
  failed(exited(requestId, null, 'SIGKILL'), 0);

/** Runs each function in processes of its own, reused while warm. The real thing, next to the simulator's in-process runner. */
export function processRunners(options: ProcessRunnerOptions): RunnerFactory {
  const gate = new StartGate(Math.max(2, availableParallelism()));
  return (fn, observer) => new ProcessPool(fn, observer, options, gate);
}

/** The workers of one function. */
export class ProcessPool implements FunctionRunner {
  readonly maxConcurrency: number;
  readonly #fn: FunctionRecord;
  readonly #observer: RunnerObserver;
  readonly #options: ProcessRunnerOptions;
  readonly #gate: StartGate;
  readonly #workers = new Map<WorkerProcess, 'booting' | 'ready'>();
  /** Most recently used last: the rest grow old and are reaped. */
  readonly #idle: { worker: WorkerProcess; reaper: NodeJS.Timeout; initMs: number | undefined }[] = [];
  readonly #waiting: Waiting[] = [];
  /** Starts that wait for their turn at the gate. */
  #queuedStarts = 0;
  #growTimer: NodeJS.Timeout | undefined;
  #retired = false;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(fn: FunctionRecord, observer: RunnerObserver, options: ProcessRunnerOptions, gate: StartGate) {
    this.#fn = fn;
    this.#observer = observer;
    this.#options = options;
    this.#gate = gate;
    const bound = Math.min(
      options.maxWorkersPerFunction ?? 10,
      fn.reservedConcurrency ?? Number.POSITIVE_INFINITY,
    );
    this.maxConcurrency = Math.max(1, bound);
  }

  /** Process ids of the live workers. */
  get pids(): number[] {
    return [...this.#workers.keys()].flatMap((worker) => (worker.pid === undefined ? [] : [worker.pid]));
  }

  invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    return new Promise((settle) => {
      this.#waiting.push({ request, settle, losses: 0 });
      this.#dispatch();
    });
  }

  async prewarm(count: number): Promise<void> {
    const missing = Math.min(count, this.maxConcurrency) - this.#workers.size - this.#queuedStarts;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#start(false)));
  }

  retire(): Promise<void> {
    this.#retired = true;
    for (const { worker, reaper } of this.#idle.splice(0)) {
      clearTimeout(reaper);
      worker.kill();
    }
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      this.#checkEmpty();
    });
  }

  async close(): Promise<void> {
    const empty = this.retire();
    this.#closed = true;
    clearTimeout(this.#growTimer);
    for (const item of this.#waiting.splice(0)) item.settle(killed(item.request));
    for (const worker of this.#workers.keys()) worker.kill();
    await empty;
  }

  /** Hands waiting events to idle workers and starts workers for the rest. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const slot = this.#idle.pop();
      if (!slot) break;
      clearTimeout(slot.reaper);
      const next = this.#waiting.shift();
      if (next && slot.worker.alive) void this.#work(slot.worker, next, slot.initMs);
      else if (next) this.#waiting.unshift(next);
    }
    if (this.#waiting.length === 0) return;
    const hasWorker = this.#workers.size + this.#queuedStarts > 0;
    if (hasWorker) this.#growTimer ??= setTimeout(() => this.#grow(), GROW_AFTER_MS);
    else this.#grow();
  }

  /** Starts workers for the events that none is free or coming for. */
  #grow(): void {
    clearTimeout(this.#growTimer);
    this.#growTimer = undefined;
    const booting = [...this.#workers.values()].filter((state) => state === 'booting').length;
    const coming = this.#queuedStarts + booting;
    const room = this.maxConcurrency - this.#workers.size - this.#queuedStarts;
    const wanted = Math.min(this.#waiting.length - coming, room);
    for (let index = 0; index < wanted; index += 1) void this.#start(true);
  }

  async #start(onDemand: boolean): Promise<void> {
    this.#queuedStarts += 1;
    await this.#gate.pass(async () => {
      this.#queuedStarts -= 1;
      // By now a busy worker may have come free, or the pool have been given up.
      const needless = onDemand ? this.#waiting.length === 0 : this.#retired;
      if (needless) return this.#checkEmpty();
      const worker = this.#spawn();
      this.#workers.set(worker, 'booting');
      const outcome = await worker.started;
      if (outcome.kind === 'failed') return this.#failFirst(worker, outcome.error, outcome.initMs);
      if (!worker.alive) return;
      this.#workers.set(worker, 'ready');
      this.#release(worker, outcome.initMs);
    });
  }

  #spawn(): WorkerProcess {
    const { initTimeoutMs = DEFAULT_INIT_TIMEOUT_MS } = this.#options;
    return new WorkerProcess(
      this.#fn,
      this.#options,
      { logStreamName: logStreamName(Date.now()), initTimeoutMs },
      {
        started: (requestId, stream) => this.#observer.started(requestId, stream),
        output: (stream, requestId, line) => this.#observer.output(stream, requestId, line),
        gone: (worker) => this.#gone(worker),
      },
    );
  }

  /** A module that does not load fails the event it was loaded for. */
  #failFirst(worker: WorkerProcess, error: FailureBody, initMs: number): void {
    const first = this.#waiting.shift();
    if (!first) return;
    this.#observer.started(first.request.requestId, worker.logStreamName);
    first.settle(failed(error, initMs));
    this.#dispatch();
    this.#checkEmpty();
  }

  async #work(worker: WorkerProcess, item: Waiting, initMs: number | undefined): Promise<void> {
    const outcome = await worker.run(item.request);
    if (outcome !== 'untouched') {
      item.settle(initMs === undefined ? outcome : { ...outcome, initDurationMs: initMs });
    } else if (item.losses < MAX_LOSSES && !this.#closed) {
      item.losses += 1;
      this.#waiting.unshift(item);
    } else {
      item.settle(killed(item.request));
    }
    if (worker.alive) this.#release(worker, undefined);
    else this.#dispatch();
  }

  #release(worker: WorkerProcess, initMs: number | undefined): void {
    if (!worker.alive) return;
    if (this.#retired && this.#waiting.length === 0) {
      worker.kill();
      return;
    }
    const reaper = setTimeout(() => this.#reap(worker), this.#options.idleMs ?? DEFAULT_IDLE_MS);
    reaper.unref();
    this.#idle.push({ worker, reaper, initMs });
    this.#dispatch();
  }

  #reap(worker: WorkerProcess): void {
    const isSpare = this.#workers.size > (this.#fn.provisionedConcurrency ?? 0);
    if (isSpare) this.#remove(worker, true);
    else this.#idle.find((entry) => entry.worker === worker)?.reaper.refresh();
  }

  #remove(worker: WorkerProcess, kill: boolean): void {
    const at = this.#idle.findIndex((entry) => entry.worker === worker);
    const [slot] = at === -1 ? [] : this.#idle.splice(at, 1);
    if (slot) clearTimeout(slot.reaper);
    if (kill) worker.kill();
  }

  #gone(worker: WorkerProcess): void {
    const wasReady = this.#workers.get(worker) === 'ready';
    this.#workers.delete(worker);
    this.#remove(worker, false);
    this.#checkEmpty();
    // A module that does not load would fail again and again: only workers that had come up are replaced.
    if (wasReady && !this.#retired) void this.prewarm(this.#fn.provisionedConcurrency ?? 0);
  }

  #checkEmpty(): void {
    const busy = this.#workers.size + this.#queuedStarts + this.#waiting.length;
    if (this.#retired && busy === 0) this.#whenEmpty?.();
  }
}
