import * as v from 'valibot';
import { parseStrict } from '../parseStrict.ts';
import type { Parsed } from '../problem.ts';
import { text, whole } from '../taskRequested/fields.ts';
import { taskRequestSchema } from '../taskRequested/schema.ts';
import { poolChangesSchema } from './poolSettings.ts';

const cluster = text(
  /^[A-Za-z0-9_-]{1,255}$/,
  'the name of a cluster: letters, digits, _ and -, at most 255',
  'Write its name, not its ARN: "demo".',
);
const taskId = text(
  /^[a-z2-7]{26}$/,
  'the id of a task, 26 characters',
  'Copy it from its Task Accepted event.',
);
const source = v.exactOptional(
  text(
    /^.{1,256}$/su,
    'who asks for tasks: the source of its events, at most 256 characters',
    'Leave it out for the whole cluster.',
  ),
);
const reason = v.exactOptional(
  text(/^.{1,200}$/su, 'a reason of at most 200 characters', 'Shorten it.'),
  'the operator asked for it',
);

const queue = text(
  /^[A-Za-z]{1,32}$/,
  'the name of a queue of dead letters',
  'dead-letters without a queue shows them.',
);
const messageId = text(
  /^[A-Za-z0-9-]{1,100}$/,
  'the id of a message',
  'Copy it from dead-letters with the queue’s name.',
);

const state = v.pipe(
  v.picklist(['BLOCKED', 'PENDING', 'PLACED', 'RUNNING']),
  v.description('BLOCKED, PENDING, PLACED or RUNNING'),
  v.metadata({ fix: 'Ended tasks are not listed: ask explain with the task’s id.' }),
);

const commands = [
  v.strictObject({ operation: v.literal('submit'), request: taskRequestSchema }),
  v.strictObject({ operation: v.literal('explain'), taskId }),
  v.strictObject({
    operation: v.literal('list'),
    cluster,
    states: v.exactOptional(v.pipe(v.array(state), v.minLength(1), v.description('a list of states'))),
    limit: v.exactOptional(whole(1, 1000, 'how many tasks to list', 'Ask for at most 1000.'), 100),
  }),
  v.strictObject({ operation: v.literal('cancel'), taskId, reason }),
  v.strictObject({
    operation: v.literal('drain'),
    cluster,
    hostId: text(/^i-[0-9a-f]{8,17}$/, 'an EC2 instance id', 'Copy it from status: "i-0123456789abcdef0".'),
    reason,
  }),
  v.strictObject({ operation: v.literal('pause'), cluster, source }),
  v.strictObject({ operation: v.literal('resume'), cluster, source }),
  v.strictObject({
    operation: v.literal('weight'),
    cluster,
    source: text(
      /^.{1,256}$/su,
      'the source of events whose tasks are weighed',
      'Copy it from a task’s record.',
    ),
    weight: v.pipe(
      v.number(),
      v.minValue(0.01),
      v.maxValue(100),
      v.description('a number from 0.01 to 100: what the source gets of the cluster beside others'),
      v.metadata({ fix: 'Write 1 for what all have.' }),
    ),
  }),
  v.strictObject({ operation: v.literal('status'), cluster }),
  v.strictObject({
    operation: v.literal('pool'),
    cluster,
    pool: text(/^[A-Za-z0-9_-]{1,64}$/, 'the name of a pool of the cluster', 'status shows them.'),
    change: poolChangesSchema,
  }),
  v.strictObject({
    operation: v.literal('dead-letters'),
    queue: v.exactOptional(queue),
    messageId: v.exactOptional(messageId),
    limit: v.exactOptional(whole(1, 100, 'how many messages to list', 'Ask for at most 100.'), 20),
  }),
  v.strictObject({ operation: v.literal('redrive'), queue, messageId: v.exactOptional(messageId) }),
] as const;

export const operateSchema = v.pipe(
  v.variant('operation', [...commands]),
  v.description('an object with an operation'),
);

export type OperateCommand = v.InferOutput<typeof operateSchema>;

export const operations: readonly string[] = commands.map((command) => command.entries.operation.literal);

/** Parses what an operator sent; a refusal names every field, the rule and the fix. */
export function parseOperate(event: unknown): Parsed<OperateCommand> {
  const operation = (event as { readonly operation?: unknown } | null)?.operation;
  if (typeof operation !== 'string' || !operations.includes(operation)) {
    return {
      ok: false,
      problems: [
        {
          field: 'operation',
          rule: `The operation must be one of ${operations.join(', ')}; it is ${JSON.stringify(operation) ?? 'nothing'}.`,
          fix: 'For example {"operation": "status", "cluster": "demo"}.',
        },
      ],
    };
  }
  return parseStrict(operateSchema, event);
}
