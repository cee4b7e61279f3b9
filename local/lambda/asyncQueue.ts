import type { Cancel } from '../engine/clock.ts';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import type { Destinations } from './destinations.ts';
import type { FunctionRecord } from './function.ts';
import type { Invoker } from './invoker.ts';

interface QueuedEvent {
  readonly requestId: string;
  readonly functionName: string;
  readonly payload: string;
  readonly clientContext?: string;
  readonly acceptedMs: number;
  /** How often the handler was called with it. */
  readonly attempts: number;
  readonly dueMs: number;
}

/** The service waits one minute before the first retry and two before the second. */
const RETRY_DELAYS_MS: readonly number[] = [60_000, 120_000];
const DEFAULT_MAX_AGE_SECONDS = 21_600;
const MAX_QUEUED = 100_000;

export interface AsyncQueueOptions {
  /** Waits before the retries, the last one repeated; one and two minutes when absent. */
  readonly retryDelaysMs?: readonly number[];
}

/**
 * The queue behind `InvocationType: Event`. An event is durable when `push` returns and leaves only once it is settled,
 * so an engine that dies runs it again: at least once, as the service says.
 */
export class AsyncQueue {
  readonly #context: EngineContext;
  readonly #invoker: Invoker;
  readonly #find: (functionName: string) => FunctionRecord | undefined;
  readonly #destinations: Destinations;
  readonly #events: Collection<QueuedEvent>;
  readonly #retryDelaysMs: readonly number[];
  /** What an earlier process left, until it is taken up. */
  #left: readonly QueuedEvent[];
  /** Events that are due and wait for a place, by function. */
  readonly #ready = new Map<string, QueuedEvent[]>();
  readonly #timers = new Set<Cancel>();
  #closed = false;

  constructor(
    context: EngineContext,
    invoker: Invoker,
    find: (functionName: string) => FunctionRecord | undefined,
    destinations: Destinations,
    options: AsyncQueueOptions,
  ) {
    this.#context = context;
    this.#invoker = invoker;
    this.#find = find;
    this.#destinations = destinations;
    this.#events = context.state.collection<QueuedEvent>('lambda.async');
    this.#left = [...this.#events.values()];
    this.#retryDelaysMs = options.retryDelaysMs ?? RETRY_DELAYS_MS;
    // A place that any function gives up may be the one another function waits for.
    invoker.concurrency.onFree(() => {
      for (const name of this.#ready.keys()) this.#pump(name);
    });
  }

  /** Events that have been accepted and not settled. */
  get size(): number {
    return this.#events.size;
  }

  /** Takes up what an earlier process left. */
  resume(): void {
    for (const event of this.#left) this.#schedule(event);
    this.#left = [];
  }

  /** Starts nothing more. Unsettled events stay in the state. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  push(fn: FunctionRecord, payload: string, requestId: string, clientContext?: string): void {
    if (this.#events.size >= MAX_QUEUED) {
      throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'FunctionInvocationRateLimitExceeded',
        Type: 'User',
      });
    }
    const nowMs = this.#context.clock.now();
    const event: QueuedEvent = {
      requestId,
      functionName: fn.name,
      payload,
      acceptedMs: nowMs,
      attempts: 0,
      dueMs: nowMs,
      ...(clientContext ? { clientContext } : {}),
    };
    this.#events.set(requestId, event);
    this.#schedule(event);
  }

  #schedule(event: QueuedEvent): void {
    const waitMs = event.dueMs - this.#context.clock.now();
    if (waitMs <= 0) {
      this.#enqueue(event);
      return;
    }
    const cancel = this.#context.clock.after(waitMs, () => {
      this.#timers.delete(cancel);
      this.#enqueue(event);
    });
    this.#timers.add(cancel);
  }

  #enqueue(event: QueuedEvent): void {
    const queue = this.#ready.get(event.functionName) ?? [];
    queue.push(event);
    this.#ready.set(event.functionName, queue);
    // The caller of an asynchronous invocation has its answer before the function begins.
    queueMicrotask(() => this.#pump(event.functionName));
  }

  #pump(functionName: string): void {
    const queue = this.#ready.get(functionName);
    const fn = this.#find(functionName);
    while (queue && queue.length > 0 && !this.#closed) {
      const release = fn && this.#invoker.takePlace(fn);
      if (fn && !release) return;
      const event = queue.shift();
      if (event && fn && release) void this.#attempt(fn, event, release);
      else if (event) this.#drop(event);
    }
    this.#ready.delete(functionName);
  }

  #drop(event: QueuedEvent): void {
    this.#events.delete(event.requestId);
    this.#context.log(`lambda: event ${event.requestId} dropped, function ${event.functionName} is gone`);
  }

  async #attempt(fn: FunctionRecord, event: QueuedEvent, release: () => void): Promise<void> {
    const maxAgeMs = (fn.asyncInvoke.maximumEventAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS) * 1000;
    const expiresMs = event.acceptedMs + maxAgeMs;
    const { requestId, payload } = event;
    if (this.#context.clock.now() >= expiresMs) {
      release();
      const lost = {
        requestId,
        payload,
        invokeCount: event.attempts,
        condition: 'EventAgeExceeded',
      } as const;
      await this.#destinations.settle(fn, lost);
      this.#events.delete(requestId);
      return;
    }
    const invocation = await this.#invoker.invokeHeld(fn, event, release);
    // What the engine's own end cut short has not been tried: it runs again when the engine is back.
    if (this.#closed) return;
    const attempts = event.attempts + 1;
    const waitMs = this.#retryDelaysMs[Math.min(attempts, this.#retryDelaysMs.length) - 1] ?? 0;
    const dueMs = this.#context.clock.now() + waitMs;
    const failed = invocation.status !== 'success';
    const exhausted = attempts > (fn.asyncInvoke.maximumRetryAttempts ?? 2);
    if (failed && !exhausted && dueMs < expiresMs) {
      const again = { ...event, attempts, dueMs };
      this.#events.set(requestId, again);
      return this.#schedule(again);
    }
    const condition = !failed ? 'Success' : exhausted ? 'RetriesExhausted' : 'EventAgeExceeded';
    await this.#destinations.settle(fn, { requestId, payload, invokeCount: attempts, condition, invocation });
    this.#events.delete(requestId);
  }
}
