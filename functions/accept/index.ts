import { busNeed } from '../../layers/runtime/compose/bus.ts';
import { operatedContainersNeed } from '../../layers/runtime/compose/operatedContainers.ts';
import { storeNeed } from '../../layers/runtime/compose/store.ts';
import { declaredClusters } from '../../layers/runtime/declaredClusters.ts';
import { createDeps } from '../../layers/runtime/deps.ts';
import { wrap } from '../../layers/runtime/middleware.ts';
import { createHandler } from './handler.ts';

const deps = createDeps({ store: storeNeed, containers: operatedContainersNeed, bus: busNeed });

export const handler = wrap(deps, createHandler(deps, declaredClusters(deps.settings)));
