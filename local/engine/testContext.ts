import { noFaults } from './faults.ts';
import type { CallContext, EngineContext, Service } from './service.ts';
import { memoryState } from './state.ts';
import { type VirtualClock, virtualClock } from './testClock.ts';

export interface TestContext extends EngineContext {
  readonly clock: VirtualClock;
  readonly lines: readonly string[];
}

/** mulberry32: small, fast, and the same sequence for the same seed on every machine. */
function random32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** `length` hex characters at a call, the same sequence for the same seed. */
export function seededHex(seed: number): (length: number) => string {
  const next = random32(seed);
  return (length) => {
    let hex = '';
    while (hex.length < length) hex += next().toString(16).padStart(8, '0');
    return hex.slice(0, length);
  };
}

/** An engine context in virtual time with a seed; `over` replaces parts, e.g. the state that outlived a "restart". */
export function testContext(over: Partial<TestContext> = {}, seed = 1): TestContext {
  const lines: string[] = [];
  return {
    region: 'us-east-1',
    accountId: '000000000000',
    clock: virtualClock(),
    state: memoryState(),
    faults: noFaults,
    hex: seededHex(seed),
    log: (line) => lines.push(line),
    lines,
    ...over,
  };
}

/** What a call carries when nobody hangs up. */
export const testCall: CallContext = { requestId: 'test' };

/** Calls an operation as the wire does; its refusals reject. `Output` is the SDK's output type. */
export async function invoke<Output>(
  { operations }: Service,
  operation: string,
  input: unknown,
  call: CallContext = testCall,
): Promise<Output> {
  const method = operations[operation];
  if (method === undefined) throw new Error(`there is no operation ${operation}`);
  return (await method(input, call)) as Output;
}
