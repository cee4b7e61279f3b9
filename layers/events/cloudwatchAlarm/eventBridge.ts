import * as v from 'valibot';
import { envelope, instant, parseShape } from '../envelope.ts';
import type { Parsed } from '../problem.ts';
import { type AlarmChange, alarmConfiguration, alarmState, dimensionsIn } from './change.ts';

const stateEntry = v.object({ value: alarmState, timestamp: v.exactOptional(instant) });

export const alarmEventSchema = envelope(
  v.literal('aws.cloudwatch'),
  'CloudWatch Alarm State Change',
  v.object({
    alarmName: v.string(),
    state: stateEntry,
    previousState: v.exactOptional(stateEntry),
    configuration: v.exactOptional(alarmConfiguration),
  }),
);

/** `CloudWatch Alarm State Change` of EventBridge. */
export function parseAlarmEvent(event: unknown): Parsed<AlarmChange> {
  const parsed = parseShape(alarmEventSchema, event);
  if (!parsed.ok) return parsed;
  const { detail, time } = parsed.value;
  const value: AlarmChange = {
    alarmName: detail.alarmName,
    state: detail.state.value,
    time: detail.state.timestamp ?? time,
    dimensions: dimensionsIn(detail.configuration),
  };
  return { ok: true, value };
}
