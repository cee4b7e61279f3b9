import type { Message as SdkMessage } from '@aws-sdk/client-sqs';
import type { EngineClock } from '../engine/clock.ts';
import type { Shown } from './message.ts';

export interface ReceiveOptions {
  readonly max: number;
  readonly visibilityTimeoutMs: number;
  readonly shown: Shown;
}

interface Waiter {
  readonly options: ReceiveOptions;
  readonly end: (messages: SdkMessage[]) => void;
}

/** Who waits for a queue's messages: long polls in the order of their arrival, then listeners. */
export class Waiters {
  private readonly clock: EngineClock;
  private readonly take: (options: ReceiveOptions) => SdkMessage[];
  /** A set keeps the order of arrival and lets any waiter leave at once. */
  private readonly polls = new Set<Waiter>();
  private readonly listeners = new Set<() => void>();
  private telling = false;

  constructor(clock: EngineClock, take: (options: ReceiveOptions) => SdkMessage[]) {
    this.clock = clock;
    this.take = take;
  }

  /** A long poll: resolves with messages as soon as there are some, with none after `waitMs` or when aborted. */
  poll(options: ReceiveOptions, waitMs: number, signal: AbortSignal | undefined): Promise<SdkMessage[]> {
    return new Promise((resolve) => {
      const abort = (): void => waiter.end([]);
      const cancel = this.clock.after(waitMs, abort);
      const waiter: Waiter = {
        options,
        end: (messages) => {
          cancel();
          signal?.removeEventListener('abort', abort);
          this.polls.delete(waiter);
          resolve(messages);
        },
      };
      this.polls.add(waiter);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted === true) abort();
    });
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  serve(ready: () => boolean): void {
    for (const waiter of this.polls) {
      if (!ready()) return;
      const messages = this.take(waiter.options);
      if (messages.length === 0) return;
      waiter.end(messages);
    }
    if (this.listeners.size === 0 || this.telling || !ready()) return;
    // In a microtask, so that the sends of one turn of the event loop become one batch and no listener runs inside a send.
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      for (const listener of this.listeners) listener();
    });
  }

  stop(): void {
    for (const waiter of this.polls) waiter.end([]);
    this.listeners.clear();
  }
}
