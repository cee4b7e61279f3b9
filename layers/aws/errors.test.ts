import { describe, expect, it } from 'vitest';
import { networkError, sdkError } from '../../test/support/scriptedClient.ts';
import { type AwsFailure, classifyFailure } from './errors.ts';

const cases: readonly [Error, AwsFailure['kind'], string][] = [
  [sdkError('ThrottlingException', 'Rate exceeded'), 'throttled', 'ThrottlingException'],
  [
    sdkError('RequestLimitExceeded', 'Request limit exceeded.', { status: 503 }),
    'throttled',
    'RequestLimitExceeded',
  ],
  [sdkError('Anything', 'slow down', { status: 429 }), 'throttled', 'Anything'],
  [sdkError('ServerException', 'Service Unavailable', { fault: 'server' }), 'uncertain', 'ServerException'],
  [sdkError('InternalError', 'An internal error has occurred'), 'uncertain', 'InternalError'],
  [networkError('ECONNRESET'), 'uncertain', 'ECONNRESET'],
  [Object.assign(new Error('timed out'), { name: 'TimeoutError' }), 'uncertain', 'TimeoutError'],
  [Object.assign(new Error('aborted'), { name: 'AbortError' }), 'uncertain', 'AbortError'],
  [sdkError('AccessDeniedException', 'not authorized', { status: 400 }), 'denied', 'AccessDeniedException'],
  [sdkError('UnauthorizedOperation', 'not authorized', { status: 403 }), 'denied', 'UnauthorizedOperation'],
  [sdkError('ExpiredTokenException', 'expired', { status: 403 }), 'denied', 'ExpiredTokenException'],
  [sdkError('InvalidParameterException', 'no such thing'), 'rejected', 'InvalidParameterException'],
  [
    sdkError('Error', 'old code', { Code: 'InvalidInstanceID.NotFound' }),
    'rejected',
    'InvalidInstanceID.NotFound',
  ],
];

describe('what a failed call means', () => {
  it.each(cases)('%s', (error, kind, code) => {
    expect(classifyFailure(error)).toMatchObject({ kind, code });
    expect(classifyFailure(error).detail).toContain(error.message);
  });

  it('is never made of a mistake in the code', () => {
    const mistake = new TypeError('x is not a function');
    expect(() => classifyFailure(mistake)).toThrow(mistake);
    expect(() => classifyFailure('text')).toThrow('text');
  });
});
