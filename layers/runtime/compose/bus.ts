import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createBus } from '../../aws/bus.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Need } from '../deps.ts';
import { requireSettings } from '../settings.ts';
import { clientOptions } from './clientOptions.ts';

const names = ['busName', 'wakeQueueUrl', 'provisionQueueUrl', 'lateWakeQueueUrl'] as const;

export const busNeed: Need<Bus> = {
  requires: names,
  create: ({ settings, clock, ids }) =>
    createBus({
      ...requireSettings(settings, names),
      events: new EventBridgeClient(clientOptions(5_000)),
      sqs: new SQSClient(clientOptions(5_000)),
      clock,
      ids,
    }),
};
