import { busNeed } from '../../layers/runtime/compose/bus.ts';
import { machinesNeed } from '../../layers/runtime/compose/machines.ts';
import { storeNeed } from '../../layers/runtime/compose/store.ts';
import { createDeps } from '../../layers/runtime/deps.ts';
import { wrap } from '../../layers/runtime/middleware.ts';
import { createHandler } from './handler.ts';

const deps = createDeps({ store: storeNeed, machines: machinesNeed, bus: busNeed });

export const handler = wrap(deps, createHandler(deps));
