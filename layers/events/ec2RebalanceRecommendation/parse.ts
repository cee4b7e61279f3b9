import * as v from 'valibot';
import { envelope, parseShape } from '../envelope.ts';
import { instanceId } from '../instanceId.ts';
import type { Parsed } from '../problem.ts';

/** EC2 expects to take a Spot host back: earlier than the warning, or together with it, or for nothing. */
export interface RebalanceRecommendation {
  readonly hostId: string;
  readonly time: number;
}

export const ec2RebalanceRecommendationSchema = envelope(
  v.literal('aws.ec2'),
  'EC2 Instance Rebalance Recommendation',
  v.object({ 'instance-id': instanceId }),
);

export function parseEc2RebalanceRecommendation(event: unknown): Parsed<RebalanceRecommendation> {
  const parsed = parseShape(ec2RebalanceRecommendationSchema, event);
  if (!parsed.ok) return parsed;
  return { ok: true, value: { hostId: parsed.value.detail['instance-id'], time: parsed.value.time } };
}
