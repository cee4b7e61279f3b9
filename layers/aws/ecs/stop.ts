import { StopTaskCommand } from '@aws-sdk/client-ecs';
import type { Containers } from '../../ports/containers.ts';
import { classifyFailure } from '../errors.ts';
import type { Ecs } from './ecs.ts';

/** ECS takes no longer reason. */
const MAX_REASON_LENGTH = 255;

/** ECS forgets a stopped task after an hour; asking for it then is refused as an invalid parameter. */
const gone = /referenced task was not found|task not found/i;

export const stop =
  (ecs: Ecs): Containers['stop'] =>
  async (cluster, ecsTaskArn, reason) => {
    if (!ecs.bucket.take()) return { outcome: 'throttled' };
    const input = { cluster, task: ecsTaskArn, reason: reason.slice(0, MAX_REASON_LENGTH) };
    try {
      await ecs.client.send(new StopTaskCommand(input));
      return { outcome: 'asked' };
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.kind === 'throttled') {
        ecs.bucket.drain();
        return { outcome: 'throttled' };
      }
      if (failure.kind === 'rejected' && gone.test(failure.detail)) return { outcome: 'gone' };
      throw error;
    }
  };
