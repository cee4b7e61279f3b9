import type { Bus } from '../ports/bus.ts';
import { type AnnouncementsOptions, createAnnouncements } from './announcements.ts';
import { createWakes, type WakesOptions } from './wakes.ts';

/** The bus port on EventBridge and SQS. */
export const createBus = (options: AnnouncementsOptions & WakesOptions): Bus => ({
  ...createAnnouncements(options),
  ...createWakes(options),
});
