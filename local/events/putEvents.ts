import type {
  PutEventsCommandInput,
  PutEventsRequestEntry,
  PutEventsResponse,
  PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { ServiceError } from '../engine/service.ts';

const MAXIMUM_ENTRIES = 10;
/** "The total entry size must be less than 1MB": PutEvents in the EventBridge API reference (256 KB in older pages of it). */
const MAXIMUM_BYTES = 1_048_576;

/** A checked entry; `detail` is parsed for matching, `detailText` goes on as it came. */
export interface AcceptedEntry {
  readonly busName: string | undefined;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly detailText: string;
  readonly resources: readonly string[];
  readonly timeMs: number | undefined;
}

/** Puts each good entry with `accept`, which returns the event's id, and answers for each bad one why. */
export function putEvents(
  { Entries: entries = [] }: PutEventsCommandInput,
  accept: (entry: AcceptedEntry) => string,
): PutEventsResponse {
  if (entries.length === 0 || entries.length > MAXIMUM_ENTRIES) {
    const bound =
      entries.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${MAXIMUM_ENTRIES}`;
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`,
    );
  }
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  if (bytes >= MAXIMUM_BYTES) {
    throw new ServiceError(
      'ValidationException',
      'Total size of the entries in the request is over the limit.',
    );
  }
  const results = entries.map((entry): PutEventsResultEntry => {
    try {
      return { EventId: accept(checkEntry(entry)) };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  });
  return {
    FailedEntryCount: results.filter(({ ErrorCode }) => ErrorCode !== undefined).length,
    Entries: results,
  };
}

/** As the EventBridge user guide calculates an entry's size. */
function entryBytes({
  Time,
  Source = '',
  DetailType = '',
  Detail = '',
  Resources = [],
}: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

function checkEntry(entry: PutEventsRequestEntry): AcceptedEntry {
  const {
    Source: source = '',
    DetailType: detailType = '',
    Detail: detailText = '',
    Time,
    Resources = [],
  } = entry;
  for (const [name, value] of Object.entries({
    Source: source,
    DetailType: detailType,
    Detail: detailText,
  })) {
    if (value === '') throw invalid(name, `${name} is a required argument.`);
  }
  if (detailType.length > 128) throw invalid('DetailType', 'DetailType is longer than 128 characters.');
  if (source.length > 256) throw invalid('Source', 'Source is longer than 256 characters.');
  if (source.startsWith('aws.')) {
    throw new ServiceError('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  let detail: unknown;
  try {
    detail = JSON.parse(detailText);
  } catch {
    detail = undefined;
  }
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) {
    throw new ServiceError('MalformedDetail', 'Detail is malformed.');
  }
  return {
    busName: entry.EventBusName,
    source,
    detailType,
    detail: detail as Readonly<Record<string, unknown>>,
    detailText,
    resources: Resources,
    timeMs: Time === undefined ? undefined : new Date(Time).getTime(),
  };
}

const invalid = (name: string, reason: string): ServiceError =>
  new ServiceError('InvalidArgument', `Parameter ${name} is not valid. Reason: ${reason}`);
