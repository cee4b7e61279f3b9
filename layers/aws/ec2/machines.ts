import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Clock } from '../../ports/clock.ts';
import type { Machines } from '../../ports/machines.ts';
import { realSleep, type Sleep } from '../repeatReads.ts';
import { buy } from './buy.ts';
import type { Ec2 } from './ec2.ts';
import { createTypeReader } from './instanceTypes.ts';
import { list } from './list.ts';
import { terminate } from './terminate.ts';

export interface Ec2MachinesOptions {
  readonly client: Pick<EC2Client, 'send'>;
  readonly clock: Clock;
  /** Waits between repeated reads; real time when absent. */
  readonly sleep?: Sleep;
}

/** The machines port on EC2. */
export function createEc2Machines({ client, clock, sleep = realSleep }: Ec2MachinesOptions): Machines {
  const ec2: Ec2 = { client, clock, sleep };
  return {
    instanceTypes: createTypeReader(ec2),
    buy: buy(ec2),
    terminate: terminate(ec2),
    list: list(ec2),
  };
}
