import type { Context } from 'aws-lambda';
import { createHandler as createAccept } from '../../functions/accept/handler.ts';
import { createHandler as createObserve } from '../../functions/observe/handler.ts';
import { createHandler as createOperate } from '../../functions/operate/handler.ts';
import { createHandler as createProvision } from '../../functions/provision/handler.ts';
import { createHandler as createPublish } from '../../functions/publish/handler.ts';
import { createHandler as createReconcile } from '../../functions/reconcile/handler.ts';
import { createHandler as createScale } from '../../functions/scale/handler.ts';
import { createHandler as createSchedule } from '../../functions/schedule/handler.ts';
import type { Deps } from '../../layers/runtime/deps.ts';

type Handler = (event: never, context: Context) => Promise<unknown>;

/** The control plane's functions, made as their own `index.ts` makes them. */
export const functions = {
  accept: createAccept,
  observe: createObserve,
  schedule: createSchedule,
  provision: createProvision,
  scale: createScale,
  operate: createOperate,
  reconcile: createReconcile,
  publish: createPublish,
} as const satisfies Readonly<Record<string, (deps: Deps) => Handler>>;

export type FunctionName = keyof typeof functions;

/** Lambda's bound on each, in ms, as the template sets it. */
export const timeoutMs: Readonly<Record<FunctionName, number>> = {
  accept: 30_000,
  observe: 30_000,
  schedule: 30_000,
  provision: 30_000,
  scale: 30_000,
  operate: 30_000,
  reconcile: 300_000,
  publish: 30_000,
};

export const contextOf = (name: string, remainingMs: () => number): Context => ({
  callbackWaitsForEmptyEventLoop: false,
  functionName: name,
  functionVersion: '1',
  invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
  memoryLimitInMB: '1769',
  awsRequestId: name,
  logGroupName: name,
  logStreamName: name,
  getRemainingTimeInMillis: remainingMs,
  done: () => {},
  fail: () => {},
  succeed: () => {},
});
