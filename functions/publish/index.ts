import { announcementsNeed } from '../../layers/runtime/compose/announcements.ts';
import { storeNeed } from '../../layers/runtime/compose/store.ts';
import { createDeps } from '../../layers/runtime/deps.ts';
import { wrap } from '../../layers/runtime/middleware.ts';
import { createHandler } from './handler.ts';

const deps = createDeps({ bus: announcementsNeed, store: storeNeed });

export const handler = wrap(deps, createHandler(deps));
