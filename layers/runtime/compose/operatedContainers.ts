import { ECSClient } from '@aws-sdk/client-ecs';
import { createOperatedContainers } from '../../aws/ecs/containers.ts';
import type { OperatedContainers } from '../../ports/containers.ts';
import type { Need } from '../deps.ts';
import { clientOptions } from './clientOptions.ts';

export const operatedContainersNeed: Need<OperatedContainers> = {
  requires: [],
  create: ({ clock }) => createOperatedContainers({ client: new ECSClient(clientOptions(10_000)), clock }),
};
