import type { LogWriter } from '../logs/logWriter.ts';
import { type FunctionRecord, logGroupOf } from './function.ts';
import type { InvocationOutcome } from './runner.ts';

/** `LogType: Tail` answers with the last 4 KB of the invocation's log. */
const TAIL_BYTES = 4096;

/** Writes one invocation's log: START, what the function wrote, END and REPORT; and keeps its tail. */
export class InvocationLog {
  readonly #fn: FunctionRecord;
  readonly #requestId: string;
  readonly #logs: LogWriter;
  readonly #now: () => number;
  #stream: string | undefined;
  #tail = Buffer.alloc(0);

  constructor(fn: FunctionRecord, requestId: string, logs: LogWriter, now: () => number) {
    this.#fn = fn;
    this.#requestId = requestId;
    this.#logs = logs;
    this.#now = now;
  }

  /** May come twice when an environment was lost before the handler began; only the first start is logged. */
  started(stream: string): void {
    const isFirst = this.#stream === undefined;
    this.#stream = stream;
    if (!isFirst) return;
    if (this.#fn.logFormat === 'JSON') this.#platform('platform.start', { version: '$LATEST' });
    else this.#write(`START RequestId: ${this.#requestId} Version: $LATEST\n`);
  }

  line(message: string): void {
    this.#write(message);
  }

  ended(outcome: InvocationOutcome): void {
    const id = `RequestId: ${this.#requestId}`;
    if (outcome.status === 'timeout') {
      const at = new Date(this.#now()).toISOString();
      this.#write(
        `${at} ${this.#requestId} Task timed out after ${this.#fn.timeoutSeconds.toFixed(2)} seconds\n`,
      );
    } else if (outcome.errorType === 'Runtime.ExitError') {
      const { errorMessage } = JSON.parse(outcome.payload) as { errorMessage: string };
      this.#write(`${errorMessage}\nRuntime.ExitError\n`);
    }
    if (this.#fn.logFormat === 'JSON') {
      this.#platform('platform.report', { status: outcome.status, metrics: this.#metrics(outcome) });
      return;
    }
    this.#write(`END ${id}\n`);
    this.#write(`REPORT ${id}\t${this.#report(outcome)}\n`);
  }

  /** Base64 of the log's last 4 KB. */
  tail(): string {
    return this.#tail.toString('base64');
  }

  #platform(type: string, record: object): void {
    const time = new Date(this.#now()).toISOString();
    this.#write(JSON.stringify({ time, type, record: { requestId: this.#requestId, ...record } }));
  }

  #metrics({ durationMs, initDurationMs, maxMemoryUsedMiB }: InvocationOutcome): object {
    return {
      durationMs,
      billedDurationMs: Math.ceil(durationMs + (initDurationMs ?? 0)),
      memorySizeMB: this.#fn.memoryMiB,
      maxMemoryUsedMB: maxMemoryUsedMiB,
      ...(initDurationMs === undefined ? {} : { initDurationMs }),
    };
  }

  #report(outcome: InvocationOutcome): string {
    const { durationMs, initDurationMs, maxMemoryUsedMiB, status, errorType } = outcome;
    const fields = [
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(durationMs + (initDurationMs ?? 0))} ms`,
      `Memory Size: ${this.#fn.memoryMiB} MB`,
      `Max Memory Used: ${maxMemoryUsedMiB} MB`,
    ];
    if (initDurationMs !== undefined) fields.push(`Init Duration: ${initDurationMs.toFixed(2)} ms`);
    if (status === 'timeout') fields.push('Status: timeout');
    if (errorType === 'Runtime.ExitError') fields.push('Status: error', `Error Type: ${errorType}`);
    return `${fields.join('\t')}\t`;
  }

  #write(message: string): void {
    const text = message.endsWith('\n') ? message : `${message}\n`;
    this.#tail = Buffer.concat([this.#tail, Buffer.from(text)]).subarray(-TAIL_BYTES);
    const line = { timestampMs: this.#now(), message: text };
    if (this.#stream !== undefined) this.#logs.append(logGroupOf(this.#fn.name), this.#stream, [line]);
  }
}
