import * as v from 'valibot';
import { envelope } from '../envelope.ts';

const epochMs = (what: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.description(`${what}, epoch ms`));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const attempt = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.description('the attempt this is about, from 1'),
);

const explanation = v.object({
  hostsConsidered: count,
  refusals: v.pipe(v.record(v.string(), count), v.description('hosts that refuse the task, by cause')),
  closest: v.exactOptional(
    v.object({ hostId: v.string(), lacks: v.record(v.string(), v.number()), refusal: v.string() }),
  ),
  next: v.pipe(v.string(), v.description('what happens next, in words')),
});

const cause = v.picklist([
  'EXIT_ZERO',
  'EXIT_NONZERO',
  'OUT_OF_MEMORY',
  'TIMEOUT',
  'CANCELLED',
  'PREEMPTED',
  'IMAGE_PULL',
  'LAUNCH_FAILED',
  'HOST_LOST',
  'SPOT_INTERRUPTION',
  'STOPPED_BY_USER',
  'UNKNOWN',
]);

/** Why the task is in its state: a stable code and a sentence. */
const reason = v.variant('code', [
  v.object({
    code: v.picklist([
      'ACCEPTED',
      'BLOCKED',
      'PLACED',
      'LAUNCH_UNKNOWN',
      'RUNNING',
      'DEPENDENCY_FAILED',
      'IMPOSSIBLE',
    ]),
    detail: v.string(),
  }),
  v.object({ code: v.literal('WAITING'), detail: v.string(), explanation }),
  v.object({ code: v.picklist(['BACKOFF', 'STOPPED']), detail: v.string(), cause }),
]);

const detail = <S extends string>(states: readonly S[]) =>
  v.object({
    taskId: v.string(),
    cluster: v.string(),
    source: v.pipe(v.string(), v.description('who asked: the source of the event, operator, ...')),
    idempotencyKey: v.string(),
    ordinal: v.pipe(count, v.description('which of the tasks of one request, from 0')),
    taskDefinition: v.pipe(v.string(), v.description('ARN with revision')),
    state: v.picklist(states),
    attempt,
    reason,
    hostId: v.exactOptional(v.string()),
    ecsTaskArn: v.exactOptional(v.string()),
    exitCode: v.exactOptional(v.pipe(v.number(), v.integer())),
    acceptedAt: epochMs('when the task was recorded'),
    placedAt: v.exactOptional(epochMs('when a host was claimed for it')),
    startedAt: v.exactOptional(epochMs('when its containers were running')),
    endedAt: v.exactOptional(epochMs('when it ended')),
    tags: v.record(v.string(), v.string()),
  });

const berth = v.literal('berth');

/** The events of a task's life by detail type. Each says what state the task is in, so that one is enough to know it. */
export const taskEventSchemas = {
  'Task Accepted': envelope(berth, 'Task Accepted', detail(['PENDING', 'BLOCKED'])),
  'Task Waiting': envelope(berth, 'Task Waiting', detail(['PENDING'])),
  'Task Placed': envelope(berth, 'Task Placed', detail(['PLACED'])),
  'Task Running': envelope(berth, 'Task Running', detail(['RUNNING'])),
  'Task Succeeded': envelope(berth, 'Task Succeeded', detail(['SUCCEEDED'])),
  'Task Failed': envelope(berth, 'Task Failed', detail(['FAILED'])),
  'Task Cancelled': envelope(berth, 'Task Cancelled', detail(['CANCELLED'])),
} as const;
