import { StoreUnavailable } from '../ports/store.ts';

/**
 * What an error of DynamoDB means to us; nothing else in the store looks at names.
 * - `guard`: the condition did not hold
 * - `cancelled`: a transaction did not happen; its reasons say why
 * - `busy`: another transaction holds an item; nothing happened, and a moment later it will
 * - `unavailable`: throttled, a server fault or no answer, after the SDK's own retries; the write may have happened
 * - `mistake`: our request or the set-up is wrong; repeating it helps nobody
 */
export type Failure = 'guard' | 'cancelled' | 'busy' | 'unavailable' | 'mistake';

const byName: Readonly<Record<string, Failure>> = {
  ConditionalCheckFailedException: 'guard',
  TransactionCanceledException: 'cancelled',
  TransactionConflictException: 'busy',
  TransactionInProgressException: 'busy',
  ProvisionedThroughputExceededException: 'unavailable',
  ThrottlingException: 'unavailable',
  RequestLimitExceeded: 'unavailable',
  InternalServerError: 'unavailable',
  ServiceUnavailable: 'unavailable',
  TimeoutError: 'unavailable',
  AbortError: 'unavailable',
};

export function classify(error: unknown): Failure {
  if (!(error instanceof Error)) return 'mistake';
  const known = byName[error.name];
  if (known !== undefined) return known;
  // Node's network errors carry a code and no HTTP status: the request may or may not have arrived.
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) return 'unavailable';
  return '$fault' in error && error.$fault === 'server' ? 'unavailable' : 'mistake';
}

/** The cancellation codes after which the same transaction may go through. */
const passingCodes: ReadonlySet<string> = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/** Whether a cancelled transaction failed for nothing but the company it was in. */
export const isPassing = (codes: readonly string[]): boolean => codes.some((code) => passingCodes.has(code));

/** The error to throw to the caller for one that is not an answer. */
export const toThrow = (error: unknown): unknown =>
  classify(error) === 'unavailable' || classify(error) === 'busy'
    ? new StoreUnavailable(error instanceof Error ? `${error.name}: ${error.message}` : String(error), {
        cause: error,
      })
    : error;
