/**
 * What a failed call to AWS means; nothing else here looks at error names.
 * - `throttled`: nothing happened, for now
 * - `uncertain`: no answer, or a fault of the service's: it may have happened
 * - `denied`: our credentials, permissions or set-up are wrong; no request will come right
 * - `rejected`: this request is wrong
 */
export interface AwsFailure {
  readonly kind: 'throttled' | 'uncertain' | 'denied' | 'rejected';
  /** The service's error code, or the kind of network error. */
  readonly code: string;
  /** Code and message, for a person. */
  readonly detail: string;
}

const throttles: ReadonlySet<string> = new Set([
  'EC2ThrottledException',
  'PriorRequestNotComplete',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

const denials =
  /^(?:AccessDenied|UnauthorizedOperation|AuthFailure|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|RequestExpired|OptInRequired|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|CredentialsProviderError|Blocked|PendingVerification)/;

const faults: ReadonlySet<string> = new Set([
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'ServerException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'Unavailable',
]);

interface SdkError extends Error {
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: unknown;
  readonly Code?: unknown;
}

/** EC2's and SQS's old codes stand in `Code`, or in `name` alone. */
const codeOf = (error: SdkError): string =>
  typeof error.Code === 'string'
    ? error.Code
    : error.name === 'Error' && typeof error.code === 'string'
      ? error.code
      : error.name;

function kindOf(error: SdkError, code: string): AwsFailure['kind'] {
  const status = error.$metadata?.httpStatusCode;
  if (throttles.has(code) || throttles.has(error.name) || status === 429) return 'throttled';
  if (denials.test(code) || status === 401) return 'denied';
  if (error.$fault === 'server' || faults.has(code) || (status !== undefined && status >= 500))
    return 'uncertain';
  // An answer was understood, and it was no; without an answer (network, timeout, abort) nothing is known.
  return error.$fault === 'client' || (status !== undefined && status >= 400) ? 'rejected' : 'uncertain';
}

/** @throws whatever is not an error of a call: a mistake in our own code must not pass for an answer of AWS. */
export function classifyFailure(error: unknown): AwsFailure {
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
  const code = codeOf(error);
  return { kind: kindOf(error, code), code, detail: `${code}: ${error.message}` };
}
