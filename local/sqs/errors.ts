import { ServiceError } from '../engine/service.ts';

/*
 * Codes are the names of the JSON shapes (`QueueDoesNotExist`). The query protocol's code
 * (`AWS.SimpleQueueService.NonExistentQueue`), which SDKs also expect in the `x-amzn-query-error` header, is the
 * `awsQueryError` trait of the shape in the SDK's own schema; codes without a shape are the same in both.
 */

export const queueDoesNotExist = (): ServiceError =>
  new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');

export const missingParameter = (name: string): ServiceError =>
  new ServiceError('MissingParameter', `The request must contain the parameter ${name}.`);

export const invalidParameter = (value: unknown, name: string, reason: string): ServiceError =>
  new ServiceError(
    'InvalidParameterValue',
    `Value ${String(value)} for parameter ${name} is invalid. Reason: ${reason}`,
  );

export const invalidAttributeName = (name: string): ServiceError =>
  new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);

export const invalidAttributeValue = (name: string, reason?: string): ServiceError =>
  new ServiceError(
    'InvalidAttributeValue',
    `Invalid value for the parameter ${name}.${reason === undefined ? '' : ` Reason: ${reason}`}`,
  );

export const receiptHandleIsInvalid = (handle: string): ServiceError =>
  new ServiceError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${handle}" is not a valid receipt handle.`,
    404,
  );

/** The range check of every whole-number parameter of SQS. */
export function wholeNumber(
  value: number,
  name: string,
  least: number,
  most: number,
  reason: string,
): number {
  if (!Number.isInteger(value) || value < least || value > most) throw invalidParameter(value, name, reason);
  return value;
}
