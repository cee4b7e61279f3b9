import type { FunctionRecord } from './function.ts';

/** One event on its way into a handler. */
export interface InvocationRequest {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly traceId: string;
  /** JSON text of the caller's client context. */
  readonly clientContext?: string;
}

/** What became of an invocation. `payload` is JSON text: the handler's answer, or the error body when `failed`. */
export interface InvocationOutcome {
  readonly status: 'success' | 'error' | 'timeout';
  readonly payload: string;
  /** The error's type where there is one, e.g. `Runtime.ExitError`. */
  readonly errorType?: string;
  readonly durationMs: number;
  /** Present when this invocation waited for a new execution environment. */
  readonly initDurationMs?: number;
  readonly maxMemoryUsedMiB: number;
}

/** What a runner tells the engine while it works; the engine turns it into log events. */
export interface RunnerObserver {
  /** The invocation has an execution environment, whose log stream is named. Comes before any of its lines. */
  started(requestId: string, logStreamName: string): void;
  /** A line the function wrote; `requestId` is absent outside an invocation (module initialisation). */
  output(logStreamName: string, requestId: string | undefined, line: string): void;
}

/**
 * Runs one function. The engine decides whether an invocation may run; the runner decides where. An invocation always
 * settles, with an outcome: a runner never rejects because of what the function did.
 */
export interface FunctionRunner {
  /** How many invocations this runner works on at once; more wait inside it. */
  readonly maxConcurrency: number;
  invoke(request: InvocationRequest): Promise<InvocationOutcome>;
  /** Resolves when `count` execution environments have been started (as far as `maxConcurrency` allows). */
  prewarm(count: number): Promise<void>;
  /** Takes no new invocation, lets the running ones end, then frees everything. */
  retire(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

export type RunnerFactory = (fn: FunctionRecord, observer: RunnerObserver) => FunctionRunner;
