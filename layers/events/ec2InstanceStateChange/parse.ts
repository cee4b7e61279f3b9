import * as v from 'valibot';
import type { ObservedMachine } from '../../ports/machines.ts';
import { envelope, parseShape } from '../envelope.ts';
import { instanceId } from '../instanceId.ts';
import type { Parsed } from '../problem.ts';

const states = ['pending', 'running', 'shutting-down', 'stopping', 'stopped', 'terminated'] as const;

export interface MachineChange {
  readonly hostId: string;
  readonly state: ObservedMachine['state'];
  readonly time: number;
}

export const ec2InstanceStateChangeSchema = envelope(
  v.literal('aws.ec2'),
  'EC2 Instance State-change Notification',
  v.object({ 'instance-id': instanceId, state: v.picklist(states) }),
);

export function parseEc2InstanceStateChange(event: unknown): Parsed<MachineChange> {
  const parsed = parseShape(ec2InstanceStateChangeSchema, event);
  if (!parsed.ok) return parsed;
  const { detail, time } = parsed.value;
  return { ok: true, value: { hostId: detail['instance-id'], state: detail.state, time } };
}
