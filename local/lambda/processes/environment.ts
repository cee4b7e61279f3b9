import { accessKeyIdOf } from '../../iam/caller.ts';
import type { FunctionRecord } from '../function.ts';
import { logGroupOf } from '../function.ts';

/** What a worker's environment needs to know beside the function itself. */
export interface WorkerPlace {
  readonly region: string;
  /** Where the function's AWS clients find the embedded AWS. */
  readonly endpointUrl: string;
  /** Folder for V8's code cache, which takes about a quarter off a cold start. */
  readonly compileCacheDir?: string;
}

/**
 * A worker's whole environment. Nothing of the engine's own comes through: a function that leans on a variable of the
 * developer's shell must fail here as it would on AWS.
 */
export function workerEnvironment(
  fn: FunctionRecord,
  place: WorkerPlace,
  logStreamName: string,
): Record<string, string> {
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...(place.compileCacheDir ? { NODE_COMPILE_CACHE: place.compileCacheDir } : {}),
    ...fn.environment,
    AWS_REGION: place.region,
    AWS_DEFAULT_REGION: place.region,
    AWS_ENDPOINT_URL: place.endpointUrl,
    // Nobody checks a signature here: the key id alone says whose role it is.
    AWS_ACCESS_KEY_ID: accessKeyIdOf({ kind: 'function', name: fn.name }),
    AWS_SECRET_ACCESS_KEY: 'berth',
    AWS_SESSION_TOKEN: 'berth',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMiB),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupOf(fn.name),
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    AWS_LAMBDA_LOG_FORMAT: fn.logFormat,
    AWS_LAMBDA_INITIALIZATION_TYPE: fn.provisionedConcurrency ? 'provisioned-concurrency' : 'on-demand',
    LAMBDA_TASK_ROOT: fn.codeDir,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    _HANDLER: fn.handler,
  };
}
