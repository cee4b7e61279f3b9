import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { isAlive, TestPools } from './testPool.ts';

const pools = new TestPools();
afterEach(() => pools.closePools());
afterAll(() => pools.remove());
const { started, lines } = pools;
const pool = pools.make.bind(pools);
const run = pools.run.bind(pools);
const call = pools.call.bind(pools);
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
