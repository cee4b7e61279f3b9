import type { Bus } from '../../ports/bus.ts';
import type { Need } from '../deps.ts';
import { announcementsNeed } from './announcements.ts';
import { wakesNeed } from './wakes.ts';

/** For functions that announce and wake; one that does only one of both takes its half and a smaller bundle. */
export const busNeed: Need<Bus> = {
  requires: [...announcementsNeed.requires, ...wakesNeed.requires],
  create: (base) => ({ ...announcementsNeed.create(base), ...wakesNeed.create(base) }),
};
