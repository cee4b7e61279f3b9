import { ServiceError } from '../engine/service.ts';

/** A failed delivery. `kind` is EventBridge's name for the class of the failure, as its dead letters carry it. */
export interface Failure {
  readonly kind:
    | 'NO_RESOURCE'
    | 'NO_PERMISSIONS'
    | 'THROTTLING'
    | 'INVALID_PARAMETER'
    | 'INVALID_JSON'
    | 'ERROR_FROM_TARGET'
    | 'UNKNOWN';
  /** The target's own code. */
  readonly code: string;
  readonly message: string;
  /** Targets that are gone, forbidden or given nonsense are not tried again. */
  readonly retriable: boolean;
}

/** The body could not be made from the event: trying again would not help. */
export class InvalidInput extends Error {}

export function classify(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof InvalidInput) {
    return { kind: 'INVALID_JSON', code: 'InvalidJson', message, retriable: false };
  }
  if (!(error instanceof ServiceError)) {
    return {
      kind: 'UNKNOWN',
      code: error instanceof Error ? error.name : 'Unknown',
      message,
      retriable: true,
    };
  }
  const { code, statusCode } = error;
  if (/NotFound|DoesNotExist|NonExistent/.test(code)) {
    return { kind: 'NO_RESOURCE', code, message, retriable: false };
  }
  if (/AccessDenied|NotAuthorized|AuthorizationError/.test(code) || statusCode === 401) {
    return { kind: 'NO_PERMISSIONS', code, message, retriable: false };
  }
  if (statusCode === 429 || /Throttl|TooManyRequests|LimitExceeded/.test(code)) {
    return { kind: 'THROTTLING', code, message, retriable: true };
  }
  if (statusCode < 500) return { kind: 'INVALID_PARAMETER', code, message, retriable: false };
  return { kind: 'ERROR_FROM_TARGET', code, message, retriable: true };
}
