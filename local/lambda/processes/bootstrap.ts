/**
 * The program of a worker process: loads one function's handler and calls it once per message, as the Lambda runtime
 * does in its execution environment. It knows nothing of the engine beyond the messages and its own environment.
 */
import { flushCompileCache } from 'node:module';
import { type FailureBody, MAX_RESPONSE_BYTES, responseTooLarge, thrown } from '../failures.ts';
import { type CurrentRequest, patchConsole } from './console.ts';
import { type Handler, loadHandler } from './handlerFile.ts';
import { endMarker, type InvokeMessage, type WorkerMessage } from './messages.ts';

const environment = process.env;
// The engine's own wish about module loading is no part of the function's environment.
delete environment.NODE_COMPILE_CACHE;

const current: CurrentRequest = { requestId: undefined };
const logError = patchConsole(current, environment.AWS_LAMBDA_LOG_FORMAT);

// Captured before any of the function's code runs, so that nothing it patches reaches the protocol.
const send = process.send?.bind(process);
const now = Date.now;
const exit = process.exit.bind(process);

function tell(message: WorkerMessage, then?: () => void): void {
  send?.(message, undefined, undefined, () => then?.());
}

function contextOf(message: InvokeMessage): object {
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: message.functionArn,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: message.requestId,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    identity: undefined,
    clientContext: message.clientContext ? JSON.parse(message.clientContext) : undefined,
    getRemainingTimeInMillis: () => message.deadlineMs - now(),
  };
  return context;
}

function serialise(answer: unknown): string {
  try {
    return JSON.stringify(answer === undefined ? null : answer) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

function finish(outcome: { payload: string } | { error: FailureBody }, then?: () => void): void {
  const { requestId } = current;
  if (requestId === undefined) {
    then?.();
    return;
  }
  current.requestId = undefined;
  for (const stream of [process.stdout, process.stderr]) stream.write(`${endMarker(requestId)}\n`);
  tell({ kind: 'result', requestId, rssBytes: process.memoryUsage.rss(), ...outcome }, then);
}

async function invoke(handler: Handler, message: InvokeMessage): Promise<void> {
  current.requestId = message.requestId;
  environment._X_AMZN_TRACE_ID = message.traceId;
  tell({ kind: 'accepted', requestId: message.requestId });
  try {
    const payload = serialise(await handler(JSON.parse(message.payload), contextOf(message)));
    const fits = Buffer.byteLength(payload) <= MAX_RESPONSE_BYTES;
    finish(fits ? { payload } : { error: responseTooLarge });
  } catch (error) {
    const body = thrown(error);
    logError('Invoke Error', JSON.stringify(body));
    finish({ error: body });
  }
}

/** A fault outside the handler's promise ends the environment; the invocation in flight is told why. */
function dieOf(error: FailureBody, exitCode: number): void {
  logError('Uncaught Exception', JSON.stringify(error));
  finish({ error }, () => exit(exitCode));
}
process.on('uncaughtException', (error) => dieOf(thrown(error), 129));
process.on('unhandledRejection', (reason) => {
  const body = thrown(reason);
  dieOf({ ...body, errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: String(reason) }, 128);
});
// Whatever ends the engine ends its workers.
process.on('disconnect', () => exit(0));

const startedMs = performance.now();
try {
  const handler = await loadHandler(environment.LAMBDA_TASK_ROOT ?? '.', environment._HANDLER ?? '');
  process.on('message', (message: InvokeMessage) => void invoke(handler, message));
  tell({ kind: 'ready', initMs: performance.now() - startedMs });
  // A worker is killed, not ended, so the cache would otherwise never be written.
  setImmediate(flushCompileCache);
} catch (error) {
  const body = thrown(error);
  logError('Uncaught Exception', JSON.stringify(body));
  tell({ kind: 'init-failed', error: body }, () => exit(1));
}
