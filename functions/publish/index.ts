import { announcementsNeed } from '../../layers/runtime/compose/announcements.ts';
import { createDeps } from '../../layers/runtime/deps.ts';
import { wrap } from '../../layers/runtime/middleware.ts';
import { createHandler } from './handler.ts';

const deps = createDeps({ bus: announcementsNeed });

export const handler = wrap(deps, createHandler(deps));
