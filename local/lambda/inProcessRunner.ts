import type { Context } from 'aws-lambda';
import type { EngineContext } from '../engine/service.ts';
import { thrown, timedOut } from './failures.ts';
import { type FunctionRecord, logGroupOf } from './function.ts';
import type {
  FunctionRunner,
  InvocationOutcome,
  InvocationRequest,
  RunnerFactory,
  RunnerObserver,
} from './runner.ts';

export type InProcessHandler = (event: unknown, context: Context) => unknown;

export interface InProcessOptions {
  /** The handlers by function name. */
  readonly handlers: Readonly<Record<string, InProcessHandler>>;
  /** Invocations of a function at once; 10 when absent. Reserved concurrency lowers it. */
  readonly maxConcurrency?: number;
}

/**
 * Runs handlers in this process on the engine's own clock, for the simulator. A handler that runs too long answers as
 * timed out but cannot be ended: what it does afterwards is what a frozen environment might do when it thaws.
 */
export function inProcessRunners(context: EngineContext, options: InProcessOptions): RunnerFactory {
  return (fn, observer) => new InProcessRunner(context, fn, observer, options);
}

interface Waiting {
  readonly request: InvocationRequest;
  readonly settle: (outcome: InvocationOutcome) => void;
}

class InProcessRunner implements FunctionRunner {
  readonly maxConcurrency: number;
  readonly #context: EngineContext;
  readonly #fn: FunctionRecord;
  readonly #observer: RunnerObserver;
  readonly #handler: InProcessHandler | undefined;
  readonly #logStream: string;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #whenIdle: (() => void)[] = [];

  constructor(
    context: EngineContext,
    fn: FunctionRecord,
    observer: RunnerObserver,
    options: InProcessOptions,
  ) {
    this.#context = context;
    this.#fn = fn;
    this.#observer = observer;
    this.#handler = options.handlers[fn.name];
    this.#logStream = `in-process/[$LATEST]${context.hex(32)}`;
    const bound = Math.min(options.maxConcurrency ?? 10, fn.reservedConcurrency ?? Number.POSITIVE_INFINITY);
    this.maxConcurrency = Math.max(1, bound);
  }

  invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    return new Promise((settle) => {
      this.#waiting.push({ request, settle });
      this.#next();
    });
  }

  /** Nothing to start: handlers are loaded. */
  async prewarm(): Promise<void> {}

  async retire(): Promise<void> {
    if (this.#running + this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(): Promise<void> {
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#running < this.maxConcurrency) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#running += 1;
      void this.#run(next.request).then((outcome) => {
        this.#running -= 1;
        next.settle(outcome);
        this.#next();
      });
    }
    if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #run(request: InvocationRequest): Promise<InvocationOutcome> {
    const { clock } = this.#context;
    const startedMs = clock.now();
    const timeoutMs = this.#fn.timeoutSeconds * 1000;
    this.#observer.started(request.requestId, this.#logStream);
    const settled = (
      outcome: Pick<InvocationOutcome, 'status' | 'payload' | 'errorType'>,
    ): InvocationOutcome => ({
      ...outcome,
      durationMs: clock.now() - startedMs,
      maxMemoryUsedMiB: 0,
    });
    return new Promise((resolve) => {
      const cancel = clock.after(timeoutMs, () => {
        const error = timedOut(request.requestId, timeoutMs);
        const payload = JSON.stringify(error);
        resolve(settled({ status: 'timeout', payload, errorType: error.errorType }));
      });
      const end = (outcome: InvocationOutcome): void => {
        cancel();
        resolve(outcome);
      };
      this.#call(request, startedMs + timeoutMs).then(
        (answer) => end(settled({ status: 'success', payload: JSON.stringify(answer ?? null) })),
        (error: unknown) => {
          const body = thrown(error);
          end(settled({ status: 'error', payload: JSON.stringify(body), errorType: body.errorType }));
        },
      );
    });
  }

  async #call(request: InvocationRequest, deadlineMs: number): Promise<unknown> {
    if (!this.#handler) throw new Error(`No handler of function ${this.#fn.name} was given`);
    const fn = this.#fn;
    const absent = (): never => {
      throw new Error('The Node.js 24 runtime has no callbacks');
    };
    return this.#handler(JSON.parse(request.payload), {
      callbackWaitsForEmptyEventLoop: true,
      functionName: fn.name,
      functionVersion: '$LATEST',
      invokedFunctionArn: fn.arn,
      memoryLimitInMB: String(fn.memoryMiB),
      awsRequestId: request.requestId,
      logGroupName: logGroupOf(fn.name),
      logStreamName: this.#logStream,
      getRemainingTimeInMillis: () => deadlineMs - this.#context.clock.now(),
      done: absent,
      fail: absent,
      succeed: absent,
    });
  }
}
