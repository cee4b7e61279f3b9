import * as v from 'valibot';
import { envelope, parseShape } from '../envelope.ts';
import { instanceId } from '../instanceId.ts';
import type { Parsed } from '../problem.ts';

/** EC2 takes a Spot host back, best effort two minutes after `time`. */
export interface SpotInterruption {
  readonly hostId: string;
  readonly action: 'terminate' | 'stop' | 'hibernate';
  readonly time: number;
}

export const ec2SpotInterruptionSchema = envelope(
  v.literal('aws.ec2'),
  'EC2 Spot Instance Interruption Warning',
  v.object({
    'instance-id': instanceId,
    'instance-action': v.picklist(['terminate', 'stop', 'hibernate']),
  }),
);

export function parseEc2SpotInterruption(event: unknown): Parsed<SpotInterruption> {
  const parsed = parseShape(ec2SpotInterruptionSchema, event);
  if (!parsed.ok) return parsed;
  const { detail, time } = parsed.value;
  return { ok: true, value: { hostId: detail['instance-id'], action: detail['instance-action'], time } };
}
