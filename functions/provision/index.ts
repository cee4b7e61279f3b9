import { machinesNeed } from '../../layers/runtime/compose/machines.ts';
import { storeNeed } from '../../layers/runtime/compose/store.ts';
import { wakesNeed } from '../../layers/runtime/compose/wakes.ts';
import { createDeps } from '../../layers/runtime/deps.ts';
import { wrap } from '../../layers/runtime/middleware.ts';
import { createHandler } from './handler.ts';

const deps = createDeps({ store: storeNeed, machines: machinesNeed, bus: wakesNeed });

export const handler = wrap(deps, createHandler(deps));
