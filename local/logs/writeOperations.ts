import type * as api from '@aws-sdk/client-cloudwatch-logs';
import type { EngineClock } from '../engine/clock.ts';
import { type Operations, ServiceError } from '../engine/service.ts';
import { groupNameOf } from './groupName.ts';
import type { LogStore } from './logStore.ts';
import type { LogWriter } from './logWriter.ts';

const MAX_BATCH_EVENTS = 10_000;
const MAX_BATCH_BYTES = 1_048_576;
/** Bytes each event counts for beside its message. */
const EVENT_OVERHEAD_BYTES = 26;
const TOO_NEW_MS = 2 * 3_600_000;
const TOO_OLD_MS = 14 * 86_400_000;

const exists = (what: string): ServiceError =>
  new ServiceError('ResourceAlreadyExistsException', `The specified log ${what} already exists`);

/** Making and removing groups and streams, and putting events into them. */
export function writeOperations(store: LogStore, writer: LogWriter, clock: EngineClock): Operations {
  return {
    CreateLogGroup(input: api.CreateLogGroupCommandInput) {
      const name = groupNameOf(input);
      if (store.find(name)) throw exists('group');
      store.create(name);
      return {};
    },
    DeleteLogGroup(input: api.DeleteLogGroupCommandInput) {
      store.delete(groupNameOf(input));
      return {};
    },
    PutRetentionPolicy(input: api.PutRetentionPolicyCommandInput) {
      store.retain(groupNameOf(input), input.retentionInDays);
      return {};
    },
    DeleteRetentionPolicy(input: api.DeleteRetentionPolicyCommandInput) {
      store.retain(groupNameOf(input), undefined);
      return {};
    },
    CreateLogStream(input: api.CreateLogStreamCommandInput) {
      const group = store.get(groupNameOf(input));
      const name = input.logStreamName ?? '';
      if (!/^[^:*]{1,512}$/.test(name))
        throw new ServiceError('InvalidParameterException', 'Bad logStreamName');
      if (group.streams.has(name)) throw exists('stream');
      group.createStream(name, clock.now());
      return {};
    },
    DeleteLogStream(input: api.DeleteLogStreamCommandInput) {
      const group = store.get(groupNameOf(input));
      group.deleteStream(group.stream(input.logStreamName ?? '').name);
      return {};
    },
    PutLogEvents(input: api.PutLogEventsCommandInput) {
      const group = store.get(groupNameOf(input));
      const stream = group.stream(input.logStreamName ?? '');
      const events = input.logEvents ?? [];
      const lines = events.map(({ timestamp = 0, message = '' }) => ({ timestampMs: timestamp, message }));
      const bytes = lines.reduce(
        (sum, line) => sum + Buffer.byteLength(line.message) + EVENT_OVERHEAD_BYTES,
        0,
      );
      if (lines.length === 0 || lines.length > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES) {
        throw new ServiceError('InvalidParameterException', 'Upload too large or empty.');
      }
      const sorted = lines.every((line, index) => line.timestampMs >= (lines[index - 1]?.timestampMs ?? 0));
      if (!sorted) {
        throw new ServiceError(
          'InvalidParameterException',
          'Log events in a single PutLogEvents request must be in chronological order.',
        );
      }
      const nowMs = clock.now();
      const tooOld = lines.filter((line) => line.timestampMs < nowMs - TOO_OLD_MS).length;
      const fresh = lines.slice(tooOld).filter((line) => line.timestampMs <= nowMs + TOO_NEW_MS);
      writer.append(group.name, stream.name, fresh);
      const rejected = {
        ...(tooOld > 0 ? { tooOldLogEventEndIndex: tooOld } : {}),
        ...(tooOld + fresh.length < lines.length ? { tooNewLogEventStartIndex: tooOld + fresh.length } : {}),
      };
      // A constant: sequence tokens have had no meaning since 2023 and old clients still print them.
      const answer = { nextSequenceToken: '0' };
      return Object.keys(rejected).length > 0 ? { ...answer, rejectedLogEventsInfo: rejected } : answer;
    },
  };
}
