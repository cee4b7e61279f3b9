import * as v from 'valibot';
import { envelope } from '../envelope.ts';

const hosts = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Hosts were bought for a pool or given back; or, with `target`, the number of hosts kept without demand was changed. */
export const clusterScaledSchema = envelope(
  v.literal('berth'),
  'Cluster Scaled',
  v.object({
    cluster: v.string(),
    pool: v.string(),
    direction: v.picklist(['out', 'in']),
    reason: v.string(),
    target: v.exactOptional(v.object({ from: hosts, to: hosts })),
    hosts: v.array(
      v.object({
        hostId: v.string(),
        instanceType: v.string(),
        zone: v.string(),
        lifecycle: v.picklist(['spot', 'on-demand']),
      }),
    ),
  }),
);
