import { type MetricRecorder, noMetrics } from '../cloudwatch/metricRecorder.ts';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import { type LogWriter, noLogs } from '../logs/logWriter.ts';
import { Concurrency } from './concurrency.ts';
import { exited } from './failures.ts';
import { type FunctionRecord, logGroupOf } from './function.ts';
import { InvocationLog } from './invocationLog.ts';
import type { FunctionRunner, InvocationOutcome, RunnerFactory } from './runner.ts';

export interface Invocation extends InvocationOutcome {
  readonly requestId: string;
  /** Base64 of the last 4 KB of the log. */
  readonly logTail: string;
}

export interface InvocationInput {
  readonly payload: string;
  readonly requestId?: string;
  readonly clientContext?: string;
}

export interface InvokerOptions {
  readonly runner: RunnerFactory;
  readonly logs?: LogWriter;
  readonly metrics?: MetricRecorder;
  /** Concurrent executions of the account; 1000 when absent. */
  readonly accountConcurrency?: number;
}

/** Carries invocations to the functions' runners: places, logs, metrics and injected faults. */
export class Invoker {
  readonly concurrency: Concurrency;
  readonly #context: EngineContext;
  readonly #logs: LogWriter;
  readonly #metrics: MetricRecorder;
  readonly #factory: RunnerFactory;
  readonly #runners = new Map<string, { fn: FunctionRecord; runner: FunctionRunner }>();
  readonly #retiring = new Set<FunctionRunner>();
  readonly #running = new Map<string, InvocationLog>();

  constructor(context: EngineContext, options: InvokerOptions) {
    this.#context = context;
    this.#logs = options.logs ?? noLogs;
    this.#metrics = options.metrics ?? noMetrics;
    this.#factory = options.runner;
    this.concurrency = new Concurrency(options.accountConcurrency ?? 1000);
  }

  /** Request ids have the form of a UUID. */
  newRequestId(): string {
    const hex = this.#context.hex(32);
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
    return parts.join('-');
  }

  /**
   * Whether one of the engine's own pollers may start an invocation. They never run more at once than the runner can:
   * what waits inside a runner would look busy to the service and age without reason.
   */
  hasPlace(fn: FunctionRecord): boolean {
    const isFull = this.concurrency.running(fn.name) >= this.runnerOf(fn).maxConcurrency;
    return !isFull && !this.concurrency.throttle(fn);
  }

  /** Takes a place where `hasPlace`; the caller passes what it got to `invokeHeld`. */
  takePlace(fn: FunctionRecord): (() => void) | undefined {
    return this.hasPlace(fn) ? this.concurrency.acquire(fn) : undefined;
  }

  runnerOf(fn: FunctionRecord): FunctionRunner {
    const known = this.#runners.get(fn.name);
    if (known?.fn.revisionId === fn.revisionId) return known.runner;
    this.forget(fn.name);
    const group = logGroupOf(fn.name);
    const runner = this.#factory(fn, {
      started: (requestId, stream) => this.#running.get(requestId)?.started(stream),
      output: (stream, requestId, line) => {
        const log = requestId === undefined ? undefined : this.#running.get(requestId);
        if (log) log.line(line);
        else this.#logs.append(group, stream, [{ timestampMs: this.#context.clock.now(), message: line }]);
      },
    });
    this.#runners.set(fn.name, { fn, runner });
    return runner;
  }

  /** Lets a function's running invocations end and gives up its execution environments: its settings changed. */
  forget(functionName: string): void {
    const known = this.#runners.get(functionName);
    if (!known) return;
    this.#runners.delete(functionName);
    this.#retiring.add(known.runner);
    void known.runner.retire().then(() => this.#retiring.delete(known.runner));
  }

  /** Runs an event now. Rejects with TooManyRequestsException when there is no place for it. */
  async invoke(fn: FunctionRecord, input: InvocationInput): Promise<Invocation> {
    const release = this.concurrency.acquire(fn);
    if (!release) {
      this.#record(fn, [['Throttles', 1, 'Count']]);
      throw this.concurrency.throttle(fn) ?? new ServiceError('ServiceException', 'Place lost', 500);
    }
    return this.invokeHeld(fn, input, release);
  }

  /** `invoke` for a caller that holds a place already; gives it back when the invocation has ended. */
  async invokeHeld(fn: FunctionRecord, input: InvocationInput, release: () => void): Promise<Invocation> {
    const requestId = input.requestId ?? this.newRequestId();
    const log = new InvocationLog(fn, requestId, this.#logs, () => this.#context.clock.now());
    this.#running.set(requestId, log);
    this.#record(fn, [['ConcurrentExecutions', this.concurrency.running(fn.name), 'Count']]);
    try {
      const outcome = await this.#run(fn, requestId, input);
      log.ended(outcome);
      this.#record(fn, [
        ['Invocations', 1, 'Count'],
        ['Errors', outcome.status === 'success' ? 0 : 1, 'Count'],
        ['Duration', outcome.durationMs, 'Milliseconds'],
      ]);
      return { ...outcome, requestId, logTail: log.tail() };
    } finally {
      this.#running.delete(requestId);
      release();
    }
  }

  async close(): Promise<void> {
    const runners = [...[...this.#runners.values()].map(({ runner }) => runner), ...this.#retiring];
    this.#runners.clear();
    await Promise.all(runners.map((runner) => runner.close()));
  }

  /** The runner's work, with what the fault plan says may happen around it. */
  async #run(fn: FunctionRecord, requestId: string, input: InvocationInput): Promise<InvocationOutcome> {
    const { clock, faults } = this.#context;
    const runner = this.runnerOf(fn);
    const request = {
      requestId,
      payload: input.payload,
      traceId: `Root=1-${Math.floor(clock.now() / 1000).toString(16)}-${this.#context.hex(24)};Parent=${this.#context.hex(16)};Sampled=0`,
      ...(input.clientContext ? { clientContext: input.clientContext } : {}),
    };
    const fault = faults.at('lambda.run', fn.name);
    if (fault?.kind === 'delay') await new Promise<void>((resolve) => clock.after(fault.delayMs, resolve));
    if (fault?.kind === 'drop' || fault?.kind === 'error') return crashed(requestId);
    if (fault?.kind === 'duplicate') {
      for (let copy = 1; copy < fault.copies; copy += 1) await runner.invoke(request);
    }
    const outcome = await runner.invoke(request);
    // The handler did its work and its environment was lost before the answer came through.
    return fault?.kind === 'lost-answer' ? crashed(requestId) : outcome;
  }

  #record(fn: FunctionRecord, values: readonly (readonly [string, number, string])[]): void {
    const dimensions = { FunctionName: fn.name };
    this.#metrics.record(
      values.map(([name, value, unit]) => ({ namespace: 'AWS/Lambda', name, value, unit, dimensions })),
    );
  }
}

function crashed(requestId: string): InvocationOutcome {
  const error = exited(requestId, null, 'SIGKILL');
  return {
    status: 'error',
    payload: JSON.stringify(error),
    errorType: error.errorType,
    durationMs: 0,
    maxMemoryUsedMiB: 0,
  };
}
