import { ServiceError } from '../engine/service.ts';

/** Errors in EC2's own words and codes. */
export const ec2Error = (code: string, message: string, statusCode = 400): ServiceError =>
  new ServiceError(code, message, statusCode);

export const invalidValue = (message: string): ServiceError => ec2Error('InvalidParameterValue', message);

export const missing = (parameter: string): ServiceError =>
  ec2Error('MissingParameter', `The request must contain the parameter ${parameter}`);

export const instancesNotFound = (ids: readonly string[]): ServiceError =>
  ec2Error(
    'InvalidInstanceID.NotFound',
    ids.length === 1
      ? `The instance ID '${ids[0]}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`,
  );
