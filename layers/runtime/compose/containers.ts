import { ECSClient } from '@aws-sdk/client-ecs';
import { createEcsContainers } from '../../aws/ecs/containers.ts';
import type { Containers } from '../../ports/containers.ts';
import type { Need } from '../deps.ts';
import { clientOptions } from './clientOptions.ts';

export const containersNeed: Need<Containers> = {
  requires: [],
  create: ({ clock }) => createEcsContainers({ client: new ECSClient(clientOptions(10_000)), clock }),
};
