import { SQSClient } from '@aws-sdk/client-sqs';
import { createWakes } from '../../aws/wakes.ts';
import type { Wakes } from '../../ports/bus.ts';
import type { Need } from '../deps.ts';
import { requireSettings } from '../settings.ts';
import { clientOptions } from './clientOptions.ts';

const names = ['wakeQueueUrl', 'provisionQueueUrl', 'lateWakeQueueUrl'] as const;

export const wakesNeed: Need<Wakes> = {
  requires: names,
  create: ({ settings, clock, ids }) =>
    createWakes({
      ...requireSettings(settings, names),
      sqs: new SQSClient(clientOptions(5_000)),
      clock,
      ids,
    }),
};
