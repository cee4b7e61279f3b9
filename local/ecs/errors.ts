import { ServiceError } from '../engine/service.ts';

/** Errors in ECS's own words. */
export const invalidParameter = (message: string): ServiceError =>
  new ServiceError('InvalidParameterException', message);

export const clientException = (message: string): ServiceError =>
  new ServiceError('ClientException', message);

export const clusterNotFound = (): ServiceError =>
  new ServiceError('ClusterNotFoundException', 'Cluster not found.');

export const throttled = (): ServiceError => new ServiceError('ThrottlingException', 'Rate exceeded');
