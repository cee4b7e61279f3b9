import * as v from 'valibot';
import { envelope } from '../envelope.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const epochMs = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('epoch ms'));

/** The last member of an array has ended. */
export const taskArrayEndedSchema = envelope(
  v.literal('berth'),
  'Task Array Ended',
  v.object({
    arrayId: v.pipe(v.string(), v.description('the id of the member with index 0')),
    size: count,
    cluster: v.string(),
    source: v.string(),
    idempotencyKey: v.string(),
    createdAt: epochMs,
    endedAt: epochMs,
    succeeded: count,
    failed: count,
    cancelled: count,
  }),
);
