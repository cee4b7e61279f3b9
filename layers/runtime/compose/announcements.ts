import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createAnnouncements } from '../../aws/announcements.ts';
import type { Announcements } from '../../ports/bus.ts';
import type { Need } from '../deps.ts';
import { requireSettings } from '../settings.ts';
import { clientOptions } from './clientOptions.ts';

const names = ['busName'] as const;

export const announcementsNeed: Need<Announcements> = {
  requires: names,
  create: ({ settings, clock }) =>
    createAnnouncements({
      ...requireSettings(settings, names),
      events: new EventBridgeClient(clientOptions(5_000)),
      clock,
    }),
};
