import { ServiceError } from '../../engine/service.ts';

export const invalidPattern = (reason: string): ServiceError =>
  new ServiceError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);
