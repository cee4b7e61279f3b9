import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FunctionSpec, functionRecord } from '../function.ts';
import type { InvocationOutcome } from '../runner.ts';
import { ProcessPool, type ProcessRunnerOptions } from './processRunner.ts';
import { StartGate } from './startGate.ts';

/** A function that does what its event says. */
const SOURCE = `
let calls = 0;
const spin = () => { for (;;); };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const handler = async (event, context) => {
  calls += 1;
  switch (event.do) {
    case 'echo': return { event, calls, pid: process.pid };
    case 'env': return process.env;
    case 'context': return { ...context, remaining: context.getRemainingTimeInMillis() };
    case 'log': console.log('first', { a: 1 }); console.error('two\\nlines'); process.stdout.write('no newline'); return null;
    case 'throw': throw new TypeError('not today');
    case 'throwString': throw 'bare';
    case 'exit': process.exit(3);
    case 'reject': setTimeout(() => Promise.reject(new Error('adrift')), 1); return sleep(10_000);
    case 'spin': return spin();
    case 'sleep': await sleep(event.ms); return { pid: process.pid };
    case 'big': return 'x'.repeat(7_000_000);
    case 'nothing': return undefined;
    case 'bigint': return 1n;
  }
};
export const callback = (event, context, callback) => callback(null, 1);
`;

type Measured = Omit<InvocationOutcome, 'payload'>;
// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever the function answered.
export type RunResult = Measured & { readonly body: any };

/** Real worker processes of the function above, and everything they report. */
export class TestPools {
  readonly root = mkdtempSync(join(tmpdir(), 'berth-lambda-'));
  /** Ids of the requests that have been given to a worker. */
  readonly started: string[] = [];
  /** `requestId|line`, `-` outside an invocation. */
  readonly lines: string[] = [];
  readonly #pools: ProcessPool[] = [];
  #requests = 0;

  constructor() {
    writeFileSync(join(this.root, 'index.mjs'), SOURCE);
    writeFileSync(join(this.root, 'broken.mjs'), 'throw new Error("no start");');
  }

  make(spec: Partial<FunctionSpec> = {}, options: Partial<ProcessRunnerOptions> = {}): ProcessPool {
    const fn = functionRecord(
      { name: 'fn', codeDir: this.root, handler: 'index.handler', timeoutSeconds: 10, ...spec },
      { region: 'eu-west-1', accountId: '123456789012' },
      { nowMs: 0, id: 'r1' },
    );
    const made = new ProcessPool(
      fn,
      {
        started: (requestId) => this.started.push(requestId),
        output: (_stream, requestId, line) => this.lines.push(`${requestId ?? '-'}|${line}`),
      },
      {
        region: 'eu-west-1',
        endpointUrl: 'http://127.0.0.1:4566',
        ...options,
      },
      new StartGate(2),
    );
    this.#pools.push(made);
    return made;
  }

  call(pool: ProcessPool, event: object): { requestId: string; outcome: Promise<InvocationOutcome> } {
    const requestId = `request-${this.#requests++}`;
    const outcome = pool.invoke({ requestId, payload: JSON.stringify(event), traceId: 'Root=1-2-3' });
    return { requestId, outcome };
  }

  async run(pool: ProcessPool, event: object): Promise<RunResult> {
    const { payload, ...rest } = await this.call(pool, event).outcome;
    return { ...rest, body: JSON.parse(payload) };
  }

  async closePools(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.close()));
    this.lines.length = 0;
    this.started.length = 0;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
