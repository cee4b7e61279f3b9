import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import type { Announcements, OutgoingEvent } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import { putInBatches } from './eventBatches.ts';
import { realSleep, type Sleep } from './repeatReads.ts';

export interface AnnouncementsOptions {
  readonly events: Pick<EventBridgeClient, 'send'>;
  readonly busName: string;
  readonly clock: Clock;
  readonly sleep?: Sleep;
}

export const EVENT_SOURCE = 'berth';

/** The announcing half of the bus port, on EventBridge. */
export function createAnnouncements(options: AnnouncementsOptions): Announcements {
  const { events, busName, clock, sleep = realSleep } = options;
  return {
    publish: async (outgoing) => {
      const entries = outgoing.map((event) => toEntry(event, busName, clock));
      await putInBatches((batch) => events.send(new PutEventsCommand({ Entries: batch })), entries, sleep);
    },
  };
}

const toEntry = (event: OutgoingEvent, busName: string, clock: Clock): PutEventsRequestEntry => ({
  Source: EVENT_SOURCE,
  DetailType: event.detailType,
  Detail: JSON.stringify(event.detail),
  Resources: [...event.resources],
  EventBusName: busName,
  Time: new Date(clock.now()),
});
