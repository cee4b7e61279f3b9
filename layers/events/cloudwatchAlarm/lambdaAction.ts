import * as v from 'valibot';
import { instant, parseShape } from '../envelope.ts';
import type { Parsed } from '../problem.ts';
import { type AlarmChange, alarmConfiguration, alarmState, dimensionsIn } from './change.ts';

const stateEntry = v.object({ value: alarmState, timestamp: v.exactOptional(instant) });

export const alarmActionSchema = v.object({
  source: v.literal('aws.cloudwatch'),
  alarmArn: v.string(),
  accountId: v.exactOptional(v.string()),
  region: v.exactOptional(v.string()),
  time: instant,
  alarmData: v.object({
    alarmName: v.string(),
    state: stateEntry,
    previousState: v.exactOptional(stateEntry),
    configuration: v.exactOptional(alarmConfiguration),
  }),
});

/** What CloudWatch invokes a function with that is an alarm's own action. */
export function parseAlarmAction(event: unknown): Parsed<AlarmChange> {
  const parsed = parseShape(alarmActionSchema, event);
  if (!parsed.ok) return parsed;
  const { alarmData, time } = parsed.value;
  const value: AlarmChange = {
    alarmName: alarmData.alarmName,
    state: alarmData.state.value,
    time: alarmData.state.timestamp ?? time,
    dimensions: dimensionsIn(alarmData.configuration),
  };
  return { ok: true, value };
}
