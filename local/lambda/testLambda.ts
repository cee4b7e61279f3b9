import type { InvocationResponse } from '@aws-sdk/client-lambda';
import type { Deliverer } from '../engine/service.ts';
import { type TestContext, testContext } from '../engine/testContext.ts';
import type { LogWriter } from '../logs/logWriter.ts';
import type { FunctionSpec } from './function.ts';
import { type InProcessHandler, inProcessRunners } from './inProcessRunner.ts';
import { createLambda, type Lambda, type LambdaOptions } from './lambda.ts';

export interface TestLambda {
  readonly context: TestContext;
  readonly lambda: Lambda;
  readonly delivered: { arn: string; body: string }[];
  /** Log messages in order, all groups and streams together. */
  readonly logged: string[];
  /** Calls an operation as the wire would. */
  call<Answer = InvocationResponse>(operation: string, input: object, requestId?: string): Promise<Answer>;
}

/** A Lambda engine in virtual time whose functions are the given handlers. */
export function testLambda(
  handlers: Readonly<Record<string, InProcessHandler>>,
  specs: Readonly<Record<string, Partial<FunctionSpec>>> = {},
  over: Partial<LambdaOptions> & { readonly context?: TestContext; readonly maxConcurrency?: number } = {},
): TestLambda {
  const context = over.context ?? testContext();
  const delivered: { arn: string; body: string }[] = [];
  const logged: string[] = [];
  const deliverer: Deliverer = {
    async deliver(arn, body) {
      delivered.push({ arn, body });
    },
  };
  const logs: LogWriter = {
    append: (_group, _stream, lines) => logged.push(...lines.map(({ message }) => message)),
  };
  const { maxConcurrency = 10 } = over;
  const lambda = createLambda(context, {
    runner: inProcessRunners(context, { handlers, maxConcurrency }),
    deliverer,
    logs,
    sources: { queue: () => undefined, stream: () => undefined },
    ...over,
  });
  for (const name of Object.keys(handlers)) {
    lambda.createFunction({ name, codeDir: '/nowhere', handler: 'index.handler', ...specs[name] });
  }
  let calls = 0;
  return {
    context,
    lambda,
    delivered,
    logged,
    async call<Answer>(operation: string, input: object, requestId = `call-${calls++}`) {
      const run = lambda.service.operations[operation];
      if (!run) throw new Error(`no operation ${operation}`);
      return (await run(input, { requestId })) as Answer;
    },
  };
}

export const json = (payload: Uint8Array | undefined): unknown =>
  JSON.parse(Buffer.from(payload ?? []).toString());
export const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
