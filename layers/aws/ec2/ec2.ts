import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Clock } from '../../ports/clock.ts';
import type { Sleep } from '../repeatReads.ts';

/** What every call of EC2 is made with. */
export interface Ec2 {
  readonly client: Pick<EC2Client, 'send'>;
  readonly clock: Clock;
  readonly sleep: Sleep;
}
