import type { ECSClient } from '@aws-sdk/client-ecs';
import type { Clock } from '../../ports/clock.ts';
import type { Sleep } from '../repeatReads.ts';
import type { TokenBucket } from '../tokenBucket.ts';

/** What every call of ECS is made with. */
export interface Ecs {
  readonly client: Pick<ECSClient, 'send'>;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly bucket: TokenBucket;
}
