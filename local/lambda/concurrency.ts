import { ServiceError } from '../engine/service.ts';
import type { FunctionRecord } from './function.ts';

/** What the account keeps for functions without a reservation. */
const MIN_UNRESERVED = 100;

/**
 * Counts running invocations against the account's limit and each function's reservation, as the service does:
 * a reservation is taken out of what the other functions share, used or not.
 */
export class Concurrency {
  readonly #accountLimit: number;
  readonly #running = new Map<string, number>();
  readonly #reserved = new Map<string, number>();
  readonly #watchers: ((functionName: string) => void)[] = [];

  constructor(accountLimit: number) {
    this.#accountLimit = accountLimit;
  }

  /** Told whenever an invocation of any function has ended. */
  onFree(watcher: (functionName: string) => void): void {
    this.#watchers.push(watcher);
  }

  running(functionName: string): number {
    return this.#running.get(functionName) ?? 0;
  }

  get unreserved(): number {
    let reserved = 0;
    for (const share of this.#reserved.values()) reserved += share;
    return this.#accountLimit - reserved;
  }

  reserve(functionName: string, share: number | undefined): void {
    const before = this.#reserved.get(functionName);
    this.#reserved.delete(functionName);
    if (share === undefined) return;
    if (this.unreserved - share < MIN_UNRESERVED) {
      if (before !== undefined) this.#reserved.set(functionName, before);
      throw new ServiceError(
        'InvalidParameterValueException',
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution ` +
          `below its minimum value of [${MIN_UNRESERVED}].`,
        400,
        { Type: 'User' },
      );
    }
    this.#reserved.set(functionName, share);
    for (const watcher of this.#watchers) watcher(functionName);
  }

  /** Takes a place for one invocation; undefined when there is none. The caller calls what it got once, at the end. */
  acquire(fn: FunctionRecord): (() => void) | undefined {
    if (this.throttle(fn)) return undefined;
    this.#running.set(fn.name, this.running(fn.name) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#running.set(fn.name, this.running(fn.name) - 1);
      for (const watcher of this.#watchers) watcher(fn.name);
    };
  }

  /** The error a caller gets now, or undefined when an invocation may start. */
  throttle(fn: FunctionRecord): ServiceError | undefined {
    const share = this.#reserved.get(fn.name);
    if (share !== undefined) {
      return this.running(fn.name) < share
        ? undefined
        : throttled('ReservedFunctionConcurrentInvocationLimitExceeded');
    }
    let shared = 0;
    for (const [name, count] of this.#running) if (!this.#reserved.has(name)) shared += count;
    return shared < this.unreserved ? undefined : throttled('ConcurrentInvocationLimitExceeded');
  }
}

const throttled = (reason: string): ServiceError =>
  new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, { Reason: reason, Type: 'User' });
