import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type FunctionSpec, functionRecord } from '../function.ts';
import type { InvocationOutcome } from '../runner.ts';
import { ProcessPool } from './processRunner.ts';
import { StartGate } from './startGate.ts';

const root = mkdtempSync(join(tmpdir(), 'berth-lambda-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

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
writeFileSync(join(root, 'index.mjs'), SOURCE);
writeFileSync(join(root, 'broken.mjs'), 'throw new Error("no start");');

const started: string[] = [];
const lines: string[] = [];
const pools: ProcessPool[] = [];
function pool(
  spec: Partial<FunctionSpec> = {},
  options: { maxWorkersPerFunction?: number; idleMs?: number } = {},
) {
  const fn = functionRecord(
    { name: 'fn', codeDir: root, handler: 'index.handler', timeoutSeconds: 10, ...spec },
    { region: 'eu-west-1', accountId: '123456789012' },
    { nowMs: 0, id: 'r1' },
  );
  const made = new ProcessPool(
    fn,
    {
      started: (requestId) => started.push(requestId),
      output: (_stream, requestId, line) => lines.push(`${requestId ?? '-'}|${line}`),
    },
    {
      region: 'eu-west-1',
      endpointUrl: 'http://127.0.0.1:4566',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' },
      ...options,
    },
    new StartGate(2),
  );
  pools.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map((each) => each.close()));
  lines.length = 0;
  started.length = 0;
});

let next = 0;
function call(
  runner: ProcessPool,
  event: object,
): { requestId: string; outcome: Promise<InvocationOutcome> } {
  const requestId = `request-${next++}`;
  const outcome = runner.invoke({ requestId, payload: JSON.stringify(event), traceId: 'Root=1-2-3' });
  return { requestId, outcome };
}
const run = async (runner: ProcessPool, event: object) => {
  const { outcome } = call(runner, event);
  const { payload, ...rest } = await outcome;
  return { ...rest, body: JSON.parse(payload) };
};
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a worker process', () => {
  it('answers, stays warm, and reports its start only once', async () => {
    const runner = pool();
    const first = await run(runner, { do: 'echo' });
    const second = await run(runner, { do: 'echo' });
    expect(first).toMatchObject({ status: 'success', body: { calls: 1, event: { do: 'echo' } } });
    expect(first.initDurationMs).toBeGreaterThan(0);
    expect(first.maxMemoryUsedMiB).toBeGreaterThan(10);
    expect(second.body).toMatchObject({ calls: 2, pid: first.body.pid });
    expect(second.initDurationMs).toBeUndefined();
  });

  it('sees its own environment and nothing of ours', async () => {
    process.env.BERTH_LEAK = 'secret of the shell';
    const { body } = await run(pool({ environment: { TABLE: 'berth', AWS_REGION: 'elsewhere' } }), {
      do: 'env',
    });
    delete process.env.BERTH_LEAK;
    expect(body).toMatchObject({
      TABLE: 'berth',
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_LAMBDA_FUNCTION_NAME: 'fn',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      _X_AMZN_TRACE_ID: 'Root=1-2-3',
    });
    expect(Object.keys(body)).not.toContain('BERTH_LEAK');
    expect(Object.keys(body)).not.toContain('NODE_COMPILE_CACHE');
    expect(Object.keys(body)).not.toContain('HOME');
  });

  it('gives the handler the real context', async () => {
    const runner = pool();
    const { requestId, outcome } = call(runner, { do: 'context' });
    const context = JSON.parse((await outcome).payload);
    expect(context).toMatchObject({
      awsRequestId: requestId,
      functionName: 'fn',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:fn',
      memoryLimitInMB: '128',
      logGroupName: '/aws/lambda/fn',
    });
    expect(context.logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
    expect(context.remaining).toBeGreaterThan(5_000);
    expect(context.remaining).toBeLessThanOrEqual(10_000);
  });

  it('delivers every line of an invocation before its answer', async () => {
    const runner = pool();
    const { requestId, outcome } = call(runner, { do: 'log' });
    await outcome;
    const own = lines
      .filter((line) => line.startsWith(`${requestId}|`))
      .map((line) => line.split('|')[1] ?? '');
    expect(own).toHaveLength(3);
    expect(own[0]).toMatch(new RegExp(`Z\\t${requestId}\\tINFO\\tfirst \\{ a: 1 \\}$`));
    expect(own[1]).toMatch(new RegExp(`\\t${requestId}\\tERROR\\ttwo\\nlines$`));
    expect(own[2]).toBe('no newline');
  });

  it.each([
    ['throw', { errorType: 'TypeError', errorMessage: 'not today' }],
    ['throwString', { errorType: 'string', errorMessage: 'bare', trace: [] }],
    ['bigint', { errorType: 'Error', errorMessage: 'Unable to stringify response body' }],
    ['big', { errorType: 'Function.ResponseSizeTooLarge' }],
  ])('reports %s as the runtime does and stays warm', async (what, expected) => {
    const runner = pool();
    const failure = await run(runner, { do: what });
    expect(failure).toMatchObject({ status: 'error', body: expected });
    expect(await run(runner, { do: 'echo' })).toMatchObject({ status: 'success', body: { calls: 2 } });
  });

  it('answers null for nothing', async () => {
    expect(await run(pool(), { do: 'nothing' })).toMatchObject({ status: 'success', body: null });
  });

  it('fails an invocation whose process ends or rejects adrift, then starts another', async () => {
    const runner = pool();
    const { requestId, outcome } = call(runner, { do: 'exit' });
    expect(JSON.parse((await outcome).payload)).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 3`,
    });
    expect(await run(runner, { do: 'reject' })).toMatchObject({
      status: 'error',
      body: { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'Error: adrift' },
    });
    expect(await run(runner, { do: 'echo' })).toMatchObject({ status: 'success', body: { calls: 1 } });
  });

  it('ends a handler that runs too long, even one that never yields', async () => {
    const runner = pool({ timeoutSeconds: 1 });
    await runner.prewarm(1);
    const [pid = 0] = runner.pids;
    const { requestId, outcome } = call(runner, { do: 'spin' });
    const { status, payload, durationMs } = await outcome;
    expect({ status, body: JSON.parse(payload) }).toEqual({
      status: 'timeout',
      body: {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
      },
    });
    expect(durationMs).toBeGreaterThanOrEqual(1_000);
    expect(isAlive(pid)).toBe(false);
  });

  it('answers Runtime.ExitError when killed in the middle', async () => {
    const runner = pool();
    await runner.prewarm(1);
    const { requestId, outcome } = call(runner, { do: 'sleep', ms: 20_000 });
    await vi.waitFor(() => expect(started).toContain(requestId));
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(runner.pids[0] ?? 0, 'SIGKILL');
    expect(JSON.parse((await outcome).payload)).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
    });
  });

  it('gives an event to another worker when its own died before the handler began', async () => {
    const runner = pool();
    await run(runner, { do: 'echo' });
    process.kill(runner.pids[0] ?? 0, 'SIGKILL');
    expect(await run(runner, { do: 'echo' })).toMatchObject({ status: 'success', body: { calls: 1 } });
  });

  it('says why a module does not load', async () => {
    const broken = await run(pool({ handler: 'broken.handler' }), {});
    expect(broken).toMatchObject({ status: 'error', body: { errorType: 'Error', errorMessage: 'no start' } });
    const missing = await run(pool({ handler: 'absent.handler' }), {});
    expect(missing.body.errorType).toBe('Runtime.ImportModuleError');
    const wrong = await run(pool({ handler: 'index.nope' }), {});
    expect(wrong.body.errorType).toBe('Runtime.HandlerNotFound');
    const callback = await run(pool({ handler: 'index.callback' }), {});
    expect(callback.body.errorType).toBe('Runtime.CallbackHandlerDeprecated');
  });
});

describe('a pool', () => {
  it('works on as many events at once as it has workers, one each', async () => {
    const runner = pool({}, { maxWorkersPerFunction: 2 });
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => run(runner, { do: 'sleep', ms: 100 })));
    expect(outcomes.every((outcome) => outcome.status === 'success')).toBe(true);
    expect(new Set(outcomes.map((outcome) => outcome.body.pid)).size).toBe(2);
    expect(runner.pids).toHaveLength(2);
  });

  it('ends workers nobody needs, but keeps the provisioned ones and replaces them', async () => {
    const runner = pool({ provisionedConcurrency: 1 }, { idleMs: 100 });
    await Promise.all([1, 2].map(() => run(runner, { do: 'sleep', ms: 200 })));
    await vi.waitFor(() => expect(runner.pids).toHaveLength(1), { timeout: 5_000 });
    const [pid = 0] = runner.pids;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(
      () => {
        expect(runner.pids).toHaveLength(1);
        expect(runner.pids).not.toContain(pid);
      },
      { timeout: 5_000 },
    );
  });

  it('retires after its running events and leaves no process', async () => {
    const runner = pool();
    const busy = run(runner, { do: 'sleep', ms: 200 });
    await vi.waitFor(() => expect(runner.pids).toHaveLength(1));
    const [pid = 0] = runner.pids;
    await runner.retire();
    expect(await busy).toMatchObject({ status: 'success' });
    expect(isAlive(pid)).toBe(false);
  });

  it('leaves no process behind when the engine is killed', async () => {
    const program = fileURLToPath(new URL('./testParent.ts', import.meta.url));
    const parent = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids).toHaveLength(2);
    expect(pids.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 5_000 });
  });
});
