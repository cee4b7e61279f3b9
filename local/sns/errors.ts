import { ServiceError } from '../engine/service.ts';

/* Codes are the names of the SDK's error shapes; the query protocol's code is their `awsQueryError` trait. */

export const invalidParameter = (message: string): ServiceError =>
  new ServiceError('InvalidParameterException', `Invalid parameter: ${message}`);

export const notFound = (what: string): ServiceError =>
  new ServiceError('NotFoundException', `${what} does not exist`, 404);
