import { ServiceError } from '../engine/service.ts';

/** What a caller says about a function. The code is a folder of built output, as an unpacked deployment package. */
export interface FunctionSpec {
  readonly name: string;
  /** Absolute path of the folder that holds the handler's file. */
  readonly codeDir: string;
  /** `<file without extension>.<export>`, e.g. `index.handler`. */
  readonly handler: string;
  readonly description?: string;
  /** 1..900. */
  readonly timeoutSeconds?: number;
  /** 128..10240. Caps the worker's V8 heap; total memory is reported, not enforced. */
  readonly memoryMiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly roleArn?: string;
  /** Absent: the function shares the account's unreserved concurrency. 0 stops it. */
  readonly reservedConcurrency?: number;
  /** Workers kept started ahead of need, as provisioned concurrency does. */
  readonly provisionedConcurrency?: number;
  readonly logFormat?: 'Text' | 'JSON';
  readonly asyncInvoke?: AsyncInvokeConfig;
}

/** How events invoked asynchronously are retried and where the ones given up on go. */
export interface AsyncInvokeConfig {
  /** Queue or topic that gets the bare event once retries are used up. */
  readonly deadLetterArn?: string;
  readonly onFailureArn?: string;
  readonly onSuccessArn?: string;
  /** 0..2, 2 when absent. */
  readonly maximumRetryAttempts?: number;
  /** 60..21600, six hours when absent. */
  readonly maximumEventAgeSeconds?: number;
}

/** A function as the engine keeps it: the spec with its defaults filled in. */
export interface FunctionRecord extends FunctionSpec {
  readonly arn: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFormat: 'Text' | 'JSON';
  readonly asyncInvoke: AsyncInvokeConfig;
  readonly lastModifiedMs: number;
  readonly revisionId: string;
}

const NAME = /^[A-Za-z0-9-_]{1,64}$/;
const ARN = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:([A-Za-z0-9-_]+)(?::(.+))?$/;
const PARTIAL_ARN = /^(?:\d{12}:)?(?:function:)?([A-Za-z0-9-_]+)(?::(.+))?$/;

export const logGroupOf = (functionName: string): string => `/aws/lambda/${functionName}`;

/**
 * The name in a FunctionName parameter, which may be a name, an ARN or a partial ARN, each with a qualifier.
 * Only `$LATEST` exists here: versions and aliases are not kept.
 */
export function functionNameOf(nameOrArn: string | undefined, qualifier?: string): string {
  if (!nameOrArn) throw new ServiceError('InvalidParameterValueException', 'FunctionName is required');
  const match = ARN.exec(nameOrArn) ?? PARTIAL_ARN.exec(nameOrArn);
  const name = match?.[1];
  if (!name || !NAME.test(name)) {
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value '${nameOrArn}' at 'functionName' failed to satisfy constraint: ` +
        'Member must be a function name, an ARN or a partial ARN',
    );
  }
  const version = qualifier ?? match?.[2];
  if (version !== undefined && version !== '$LATEST') {
    throw new ServiceError('ResourceNotFoundException', `Function not found: ${nameOrArn}:${version}`, 404, {
      Type: 'User',
    });
  }
  return name;
}

function within(field: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new ServiceError(
    'ValidationException',
    `1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: ` +
      `Member must have value between ${low} and ${high}`,
  );
}

/** Checks a spec against the service's own limits and fills in its defaults. */
export function functionRecord(
  spec: FunctionSpec,
  place: { readonly region: string; readonly accountId: string },
  revision: { readonly nowMs: number; readonly id: string },
): FunctionRecord {
  if (!NAME.test(spec.name))
    throw new ServiceError('ValidationException', `Bad function name '${spec.name}'`);
  const retries = spec.asyncInvoke?.maximumRetryAttempts;
  const age = spec.asyncInvoke?.maximumEventAgeSeconds;
  if (retries !== undefined) within('maximumRetryAttempts', retries, 0, 2);
  if (age !== undefined) within('maximumEventAgeInSeconds', age, 60, 21_600);
  if (spec.reservedConcurrency !== undefined) {
    within('reservedConcurrentExecutions', spec.reservedConcurrency, 0, 1_000_000);
  }
  return {
    ...spec,
    arn: `arn:aws:lambda:${place.region}:${place.accountId}:function:${spec.name}`,
    timeoutSeconds: within('timeout', spec.timeoutSeconds ?? 3, 1, 900),
    memoryMiB: within('memorySize', spec.memoryMiB ?? 128, 128, 10_240),
    environment: spec.environment ?? {},
    logFormat: spec.logFormat ?? 'Text',
    asyncInvoke: spec.asyncInvoke ?? {},
    lastModifiedMs: revision.nowMs,
    revisionId: revision.id,
  };
}
