import { EC2Client } from '@aws-sdk/client-ec2';
import { createEc2Machines } from '../../aws/ec2/machines.ts';
import type { Machines } from '../../ports/machines.ts';
import type { Need } from '../deps.ts';
import { clientOptions } from './clientOptions.ts';

export const machinesNeed: Need<Machines> = {
  requires: [],
  // CreateFleet answers when its instances are launched, which takes seconds for a large fleet.
  create: ({ clock }) => createEc2Machines({ client: new EC2Client(clientOptions(30_000)), clock }),
};
