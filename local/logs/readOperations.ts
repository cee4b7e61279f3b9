import type * as api from '@aws-sdk/client-cloudwatch-logs';
import type { EngineClock } from '../engine/clock.ts';
import { type Operations, ServiceError } from '../engine/service.ts';
import { filterPattern } from './filterPattern.ts';
import { groupNameOf } from './groupName.ts';
import type { LogEvent, LogStore } from './logStore.ts';

const MAX_EVENTS = 10_000;
/** An answer holds at most a megabyte of messages. */
const MAX_CHARS = 1_048_576;

const outputEvent = (event: LogEvent): api.OutputLogEvent => ({
  timestamp: event.timestampMs,
  message: event.message,
  ingestionTime: event.ingestionMs,
});

/** As many events as an answer may hold, from the start. */
function* bounded(events: Iterable<LogEvent>, limit: number): Generator<LogEvent> {
  let chars = 0;
  let count = 0;
  for (const event of events) {
    chars += event.message.length;
    if (count >= limit || (count > 0 && chars > MAX_CHARS)) return;
    count += 1;
    yield event;
  }
}

interface Position {
  readonly timestampMs: number;
  readonly sequence: number;
}
const isAfter = (event: Position, position: Position): boolean =>
  event.timestampMs > position.timestampMs ||
  (event.timestampMs === position.timestampMs && event.sequence > position.sequence);

const tokenAt = ({ timestampMs, sequence }: Position): string => `${timestampMs}.${sequence}`;

function positionOf(token: string): Position {
  const [timestampMs, sequence] = token.split('.').map(Number);
  if (timestampMs === undefined || sequence === undefined || Number.isNaN(timestampMs + sequence)) {
    throw new ServiceError('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  return { timestampMs, sequence };
}

const within =
  (startMs: number | undefined, endMs: number | undefined, endIsIn: boolean) =>
  ({ timestampMs }: LogEvent): boolean =>
    timestampMs >= (startMs ?? 0) &&
    (endMs === undefined || timestampMs < endMs || (endIsIn && timestampMs === endMs));

/** Reading log events: one stream back and forth, or a group searched by pattern. */
export function readOperations(store: LogStore, clock: EngineClock): Operations {
  return {
    GetLogEvents(input: api.GetLogEventsCommandInput) {
      const group = store.get(groupNameOf(input));
      const streamName = input.logStreamName ?? '';
      group.stream(streamName);
      const inTime = within(input.startTime, input.endTime, false);
      const all = group.events(clock.now(), (event) => event.streamName === streamName && inTime(event));
      const limit = Math.min(input.limit ?? MAX_EVENTS, MAX_EVENTS);
      const [direction, token] = input.nextToken?.split('/') ?? [];
      const position = token === undefined ? undefined : positionOf(token);
      let page: LogEvent[];
      if (direction === 'f' && position) {
        page = [
          ...bounded(
            all.filter((event) => isAfter(event, position)),
            limit,
          ),
        ];
      } else if (direction === 'b' && position) {
        const before = all.filter((event) => isAfter(position, event)).reverse();
        page = [...bounded(before, limit)].reverse();
      } else {
        page = input.startFromHead
          ? [...bounded(all, limit)]
          : [...bounded([...all].reverse(), limit)].reverse();
      }
      const first = page[0];
      const last = page.at(-1);
      const here = position ?? { timestampMs: 0, sequence: 0 };
      // At either end the token stays the same: that is how a reader knows.
      return {
        events: page.map(outputEvent),
        nextForwardToken: `f/${tokenAt(last ?? here)}`,
        nextBackwardToken: `b/${tokenAt(first ?? here)}`,
      };
    },

    FilterLogEvents(input: api.FilterLogEventsCommandInput) {
      const group = store.get(groupNameOf(input));
      const names = input.logStreamNames ? new Set(input.logStreamNames) : undefined;
      for (const name of names ?? []) group.stream(name);
      const inTime = within(input.startTime, input.endTime, true);
      const matches = filterPattern(input.filterPattern);
      const prefix = input.logStreamNamePrefix ?? '';
      const position = input.nextToken ? positionOf(input.nextToken) : undefined;
      const found = group.events(
        clock.now(),
        (event) =>
          inTime(event) &&
          (names?.has(event.streamName) ?? true) &&
          event.streamName.startsWith(prefix) &&
          (!position || isAfter(event, position)) &&
          matches(event.message),
      );
      const page = [...bounded(found, Math.min(input.limit ?? MAX_EVENTS, MAX_EVENTS))];
      const last = page.at(-1);
      return {
        events: page.map((event) => ({
          logStreamName: event.streamName,
          ...outputEvent(event),
          // 56 digits, as the service's ids; ascending in arrival order.
          eventId: `${event.timestampMs}${String(event.sequence).padStart(43, '0')}`,
        })),
        searchedLogStreams: [],
        ...(last && page.length < found.length ? { nextToken: tokenAt(last) } : {}),
      };
    },
  };
}
