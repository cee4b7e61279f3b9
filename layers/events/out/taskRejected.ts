import * as v from 'valibot';
import { envelope } from '../envelope.ts';

/** A request was refused; nothing of it is on record. */
export const taskRejectedSchema = envelope(
  v.literal('berth'),
  'Task Rejected',
  v.object({
    eventId: v.pipe(v.string(), v.description('the id of the event that asked')),
    source: v.string(),
    cluster: v.exactOptional(v.string()),
    idempotencyKey: v.exactOptional(v.string()),
    problems: v.pipe(
      v.array(v.object({ field: v.string(), rule: v.string(), fix: v.string() })),
      v.minLength(1),
      v.description('everything that is wrong with the request'),
    ),
  }),
);
