import { containersNeed } from '../../layers/runtime/compose/containers.ts';
import { machinesNeed } from '../../layers/runtime/compose/machines.ts';
import { storeNeed } from '../../layers/runtime/compose/store.ts';
import { wakesNeed } from '../../layers/runtime/compose/wakes.ts';
import { declaredClusters } from '../../layers/runtime/declaredClusters.ts';
import { createDeps } from '../../layers/runtime/deps.ts';
import { wrap } from '../../layers/runtime/middleware.ts';
import { createHandler } from './handler.ts';

const deps = createDeps({
  store: storeNeed,
  containers: containersNeed,
  machines: machinesNeed,
  bus: wakesNeed,
});

export const handler = wrap(deps, createHandler(deps, declaredClusters(deps.settings)));
