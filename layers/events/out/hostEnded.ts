import * as v from 'valibot';
import { envelope } from '../envelope.ts';

const time = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A host is gone. What it cost is its price at its purchase for its seconds, at least 60; times are epoch ms. */
export const hostEndedSchema = envelope(
  v.literal('berth'),
  'Host Ended',
  v.object({
    hostId: v.string(),
    cluster: v.string(),
    pool: v.string(),
    instanceType: v.string(),
    zone: v.string(),
    lifecycle: v.picklist(['spot', 'on-demand']),
    reason: v.string(),
    usdPerHour: v.number(),
    launchedAt: time,
    endedAt: time,
    billedSeconds: v.pipe(v.number(), v.integer(), v.minValue(60)),
    usd: v.pipe(v.number(), v.minValue(0)),
  }),
);
