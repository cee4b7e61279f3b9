import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { type FunctionRecord, type FunctionSpec, functionNameOf, functionRecord } from './function.ts';
import type { Invoker } from './invoker.ts';

/** The functions of the account. They outlive the process, as settings made through the API must. */
export class Functions {
  readonly #context: EngineContext;
  readonly #invoker: Invoker;
  readonly #records: Collection<FunctionRecord>;

  constructor(context: EngineContext, invoker: Invoker) {
    this.#context = context;
    this.#invoker = invoker;
    this.#records = context.state.collection<FunctionRecord>('lambda.functions');
    for (const fn of this.#records.values()) invoker.concurrency.reserve(fn.name, fn.reservedConcurrency);
  }

  all(): IterableIterator<FunctionRecord> {
    return this.#records.values();
  }

  find(name: string): FunctionRecord | undefined {
    return this.#records.get(name);
  }

  /** By name, ARN or partial ARN; ResourceNotFoundException when there is none. */
  get(nameOrArn: string | undefined, qualifier?: string): FunctionRecord {
    const name = functionNameOf(nameOrArn, qualifier);
    const fn = this.#records.get(name);
    if (fn) return fn;
    const { region, accountId } = this.#context;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Function not found: arn:aws:lambda:${region}:${accountId}:function:${name}`,
      404,
      { Type: 'User' },
    );
  }

  /** Creates or replaces. Execution environments of an earlier revision end with their running invocations. */
  put(spec: FunctionSpec): FunctionRecord {
    const revision = { nowMs: this.#context.clock.now(), id: this.#invoker.newRequestId() };
    const fn = functionRecord(spec, this.#context, revision);
    this.#invoker.concurrency.reserve(fn.name, fn.reservedConcurrency);
    this.#records.set(fn.name, fn);
    this.#invoker.forget(fn.name);
    this.warm(fn);
    return fn;
  }

  warm(fn: FunctionRecord): void {
    if (fn.provisionedConcurrency) void this.#invoker.runnerOf(fn).prewarm(fn.provisionedConcurrency);
  }

  delete(name: string): void {
    this.#records.delete(name);
    this.#invoker.concurrency.reserve(name, undefined);
    this.#invoker.forget(name);
  }
}
