import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FaultPlan } from '../engine/faults.ts';
import { sqliteState } from '../engine/state.ts';
import { testContext } from '../engine/testContext.ts';
import type { InProcessHandler } from './inProcessRunner.ts';
import { bytes, json, testLambda } from './testLambda.ts';

const dir = mkdtempSync(join(tmpdir(), 'berth-layers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const echo: InProcessHandler = (event) => ({ event });
const fail: InProcessHandler = () => {
  throw new RangeError('no');
};

describe('Invoke', () => {
  it('answers with the result, its status and the log', async () => {
    const { call, logged } = testLambda({ echo });
    const answer = await call(
      'Invoke',
      { FunctionName: 'echo', Payload: bytes({ a: 1 }), LogType: 'Tail' },
      'id-1',
    );
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.FunctionError).toBeUndefined();
    expect(json(answer.Payload)).toEqual({ event: { a: 1 } });
    const tail = Buffer.from(answer.LogResult ?? '', 'base64').toString();
    expect(tail).toBe(logged.join(''));
    expect(tail.split('\n')).toEqual([
      'START RequestId: id-1 Version: $LATEST',
      'END RequestId: id-1',
      'REPORT RequestId: id-1\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\t',
      '',
    ]);
  });

  it('logs the platform in JSON where the function does', async () => {
    const { call, logged } = testLambda({ echo }, { echo: { logFormat: 'JSON' } });
    await call('Invoke', { FunctionName: 'echo' }, 'id-1');
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      {
        time: '2026-01-01T00:00:00.000Z',
        type: 'platform.start',
        record: { requestId: 'id-1', version: '$LATEST' },
      },
      {
        time: '2026-01-01T00:00:00.000Z',
        type: 'platform.report',
        record: {
          requestId: 'id-1',
          status: 'success',
          metrics: { durationMs: 0, billedDurationMs: 0, memorySizeMB: 128, maxMemoryUsedMB: 0 },
        },
      },
    ]);
  });

  it.each(['echo', 'echo:$LATEST', 'function:echo', 'arn:aws:lambda:us-east-1:000000000000:function:echo'])(
    'finds a function by %s',
    async (FunctionName) => {
      const { call } = testLambda({ echo });
      expect(await call('Invoke', { FunctionName, InvocationType: 'DryRun' })).toEqual({ StatusCode: 204 });
    },
  );

  it('hands an absent payload to the handler as an empty object', async () => {
    const { call } = testLambda({ echo });
    expect(json((await call('Invoke', { FunctionName: 'echo' })).Payload)).toEqual({ event: {} });
  });

  it('marks a failure and keeps answering 200', async () => {
    const { call } = testLambda({ fail });
    const answer = await call('Invoke', { FunctionName: 'fail' });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(json(answer.Payload)).toMatchObject({ errorType: 'RangeError', errorMessage: 'no' });
  });

  it('refuses what the service refuses', async () => {
    const { call } = testLambda({ echo });
    const big = Buffer.from(`"${'x'.repeat(6_291_455)}"`);
    const refusals: [object, string][] = [
      [{ FunctionName: 'absent' }, 'ResourceNotFoundException'],
      [{ FunctionName: 'echo', Payload: Buffer.from('{') }, 'InvalidRequestContentException'],
      [{ FunctionName: 'echo', Payload: big }, 'RequestTooLargeException'],
      [
        { FunctionName: 'echo', Payload: big.subarray(0, 1_048_577), InvocationType: 'Event' },
        'RequestTooLargeException',
      ],
      [{ FunctionName: 'echo:7' }, 'ResourceNotFoundException'],
      [{ FunctionName: 'not a name' }, 'ValidationException'],
    ];
    for (const [input, code] of refusals) await expect(call('Invoke', input)).rejects.toMatchObject({ code });
  });

  it('throttles at the reservation and lets the next one in', async () => {
    const free: (() => void)[] = [];
    const wait: InProcessHandler = () => new Promise<void>((resolve) => free.push(resolve));
    const { call } = testLambda({ wait }, { wait: { reservedConcurrency: 1 } });
    const first = call('Invoke', { FunctionName: 'wait' });
    await expect(call('Invoke', { FunctionName: 'wait' })).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      statusCode: 429,
      message: 'Rate Exceeded.',
      fields: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
    });
    free[0]?.();
    expect(await first).toMatchObject({ StatusCode: 200 });
    const next = call('Invoke', { FunctionName: 'wait' });
    free[1]?.();
    expect(await next).toMatchObject({ StatusCode: 200 });
  });

  it('stops a function whose reservation is zero, and keeps 100 for the others', async () => {
    const { call } = testLambda({ echo });
    await call('PutFunctionConcurrency', { FunctionName: 'echo', ReservedConcurrentExecutions: 0 });
    await expect(call('Invoke', { FunctionName: 'echo' })).rejects.toMatchObject({
      code: 'TooManyRequestsException',
    });
    await expect(
      call('PutFunctionConcurrency', { FunctionName: 'echo', ReservedConcurrentExecutions: 901 }),
    ).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
    await call('DeleteFunctionConcurrency', { FunctionName: 'echo' });
    expect(await call('GetFunctionConcurrency', { FunctionName: 'echo' })).toEqual({});
    expect(await call('Invoke', { FunctionName: 'echo' })).toMatchObject({ StatusCode: 200 });
  });

  it('times out in virtual time', async () => {
    const { call, context } = testLambda({ stuck: () => new Promise(() => {}) });
    const answer = call('Invoke', { FunctionName: 'stuck', LogType: 'Tail' }, 'id-2');
    await context.clock.advance(3_000);
    const { Payload, LogResult } = await answer;
    expect(json(Payload)).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: 'RequestId: id-2 Error: Task timed out after 3.00 seconds',
    });
    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toMatch(
      /Z id-2 Task timed out after 3\.00 seconds\n.*\tStatus: timeout\t\n$/s,
    );
  });

  it('loses answers and runs twice when the fault plan says so', async () => {
    const plan = ['duplicate', 'lost-answer', 'drop'];
    const faults: FaultPlan = {
      at(point) {
        const kind = point === 'lambda.run' ? plan.shift() : undefined;
        if (kind === 'duplicate') return { kind, copies: 2 };
        return kind === 'lost-answer' || kind === 'drop' ? { kind } : undefined;
      },
    };
    let runs = 0;
    const { call } = testLambda({ count: () => ++runs }, {}, { context: testContext({ faults }) });
    expect(json((await call('Invoke', { FunctionName: 'count' })).Payload)).toBe(2);
    const lost = await call('Invoke', { FunctionName: 'count' });
    expect([runs, lost.FunctionError]).toEqual([3, 'Unhandled']);
    const dropped = await call('Invoke', { FunctionName: 'count' });
    expect([runs, dropped.FunctionError]).toEqual([3, 'Unhandled']);
  });
});

describe('asynchronous events', () => {
  it('are retried after one and two minutes, then go to their destinations', async () => {
    const times: number[] = [];
    const context = testContext();
    const record: InProcessHandler = () => {
      times.push(context.clock.now());
      throw new Error('still no');
    };
    const asyncInvoke = {
      onFailureArn: 'arn:aws:sqs:us-east-1:000000000000:failed',
      deadLetterArn: 'arn:aws:sqs:us-east-1:000000000000:dead',
    };
    const { call, delivered, lambda } = testLambda({ record }, { record: { asyncInvoke } }, { context });
    const startMs = context.clock.now();
    const answer = await call(
      'Invoke',
      { FunctionName: 'record', InvocationType: 'Event', Payload: bytes({ n: 1 }) },
      'id-3',
    );
    expect(answer).toEqual({ StatusCode: 202 });
    await context.clock.advance(3_600_000);
    expect(times.map((atMs) => atMs - startMs)).toEqual([0, 60_000, 180_000]);
    expect(lambda.pendingAsync).toBe(0);
    expect(delivered.map(({ arn }) => arn)).toEqual([asyncInvoke.onFailureArn, asyncInvoke.deadLetterArn]);
    expect(JSON.parse(delivered[0]?.body ?? '')).toMatchObject({
      version: '1.0',
      requestContext: {
        requestId: 'id-3',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:record:$LATEST',
        condition: 'RetriesExhausted',
        approximateInvokeCount: 3,
      },
      requestPayload: { n: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'Error', errorMessage: 'still no' },
    });
    expect(delivered[1]?.body).toBe('{"n":1}');
  });

  it('go to the success destination with the answer', async () => {
    const asyncInvoke = { onSuccessArn: 'arn:aws:sqs:us-east-1:000000000000:done' };
    const { lambda, delivered, context } = testLambda({ echo }, { echo: { asyncInvoke } });
    lambda.invokeAsync('echo', '{"n":2}');
    await context.clock.advance(0);
    expect(JSON.parse(delivered[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'Success', approximateInvokeCount: 1 },
      responsePayload: { event: { n: 2 } },
    });
  });

  it('are given up on when too old', async () => {
    const asyncInvoke = {
      maximumEventAgeSeconds: 100,
      onFailureArn: 'arn:aws:sqs:us-east-1:000000000000:failed',
    };
    const { lambda, delivered, context } = testLambda({ fail }, { fail: { asyncInvoke } });
    lambda.invokeAsync('fail', '{}');
    await context.clock.advance(600_000);
    expect(JSON.parse(delivered[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 2 },
    });
  });

  it('survive the engine, each run at least once', async () => {
    const restart = (seed: number) => testContext({ state: sqliteState(join(dir, 'state.db')) }, seed);
    const seen = new Set<unknown>();
    const stuck = testLambda({ take: () => new Promise(() => {}) }, {}, { context: restart(1) });
    for (let n = 0; n < 25; n += 1) stuck.lambda.invokeAsync('take', String(n));
    await stuck.context.clock.advance(0);
    const take: InProcessHandler = (event) => seen.add(event).size;
    const next = testLambda({ take }, {}, { context: restart(2) });
    next.lambda.start();
    await next.context.clock.advance(0);
    expect([...seen].sort()).toEqual(Array.from({ length: 25 }, (_, n) => n).sort());
    expect(next.lambda.pendingAsync).toBe(0);
  });

  it('wait for a place instead of being throttled away', async () => {
    let running = 0;
    let peak = 0;
    const context = testContext();
    const slow: InProcessHandler = async () => {
      running += 1;
      peak = Math.max(peak, running);
      await new Promise<void>((resolve) => context.clock.after(1_000, resolve));
      running -= 1;
    };
    const { lambda } = testLambda({ slow }, { slow: { reservedConcurrency: 3 } }, { context });
    for (let n = 0; n < 10; n += 1) lambda.invokeAsync('slow', '{}');
    await context.clock.advance(4_000);
    expect([peak, lambda.pendingAsync]).toEqual([3, 0]);
  });
});

describe('functions', () => {
  it('are described, listed page by page, and reconfigured', async () => {
    const { call } = testLambda({ a: echo, b: echo }, { a: { environment: { X: '1' }, timeoutSeconds: 30 } });
    const { Configuration } = await call<{ Configuration: { RevisionId: string } }>('GetFunction', {
      FunctionName: 'a',
    });
    expect(Configuration).toMatchObject({
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:a',
      Runtime: 'nodejs24.x',
      Timeout: 30,
      Environment: { Variables: { X: '1' } },
      State: 'Active',
    });
    const first = await call<{ Functions: object[]; NextMarker: string }>('ListFunctions', { MaxItems: 1 });
    const second = await call<{ Functions: object[]; NextMarker?: string }>('ListFunctions', {
      MaxItems: 1,
      Marker: first.NextMarker,
    });
    expect([first.Functions[0], second.Functions[0]]).toMatchObject([
      { FunctionName: 'a' },
      { FunctionName: 'b' },
    ]);
    expect(second.NextMarker).toBeUndefined();
    const change = {
      FunctionName: 'a',
      Environment: { Variables: { Y: '2' } },
      RevisionId: Configuration.RevisionId,
    };
    expect(await call('UpdateFunctionConfiguration', change)).toMatchObject({
      Environment: { Variables: { Y: '2' } },
    });
    await expect(call('UpdateFunctionConfiguration', change)).rejects.toMatchObject({
      code: 'PreconditionFailedException',
    });
  });
});

describe('layers', () => {
  it('are published once per content and downloaded by version', async () => {
    const { call, lambda } = testLambda({}, {}, { layersDir: dir });
    const zip = Buffer.from('zip');
    const one = await call<{ LayerVersionArn: string; Content: { Location: string } }>(
      'PublishLayerVersion',
      {
        LayerName: 'agent',
        Content: { ZipFile: zip },
      },
    );
    expect(one).toMatchObject({
      Version: 1,
      LayerVersionArn: 'arn:aws:lambda:us-east-1:000000000000:layer:agent:1',
      Content: { CodeSize: 3 },
    });
    expect(lambda.publishLayer({ name: 'agent', content: zip }).version).toBe(1);
    expect(lambda.publishLayer({ name: 'agent', content: Buffer.from('other') }).version).toBe(2);
    const byArn = await call<{ Content: { Location: string } }>('GetLayerVersionByArn', {
      Arn: one.LayerVersionArn,
    });
    expect(
      Buffer.from(await (await import('node:fs/promises')).readFile(new URL(byArn.Content.Location))),
    ).toEqual(zip);
    const list = await call<{ Layers: object[] }>('ListLayers', {});
    expect(list.Layers).toMatchObject([{ LayerName: 'agent', LatestMatchingVersion: { Version: 2 } }]);
    await expect(call('GetLayerVersion', { LayerName: 'agent', VersionNumber: 9 })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});
