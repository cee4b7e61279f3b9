import * as v from 'valibot';
import { instant, parseShape } from '../envelope.ts';
import type { Parsed } from '../problem.ts';
import { type AlarmChange, alarmState } from './change.ts';

const dimensionList = v.exactOptional(v.array(v.object({ name: v.string(), value: v.string() })), []);

/** The alarm as SNS carries it: other names than elsewhere, the list of a metric maths alarm under `Metrics`. */
const messageSchema = v.object({
  AlarmName: v.string(),
  AlarmArn: v.exactOptional(v.string()),
  NewStateValue: alarmState,
  OldStateValue: v.exactOptional(alarmState),
  StateChangeTime: instant,
  Trigger: v.exactOptional(
    v.object({
      Dimensions: dimensionList,
      Metrics: v.exactOptional(
        v.array(
          v.object({
            MetricStat: v.exactOptional(v.object({ Metric: v.object({ Dimensions: dimensionList }) })),
          }),
        ),
        [],
      ),
    }),
  ),
});

const notification = v.object({
  Message: v.pipe(
    v.string(),
    v.parseJson(undefined, 'Invalid Message: expected the JSON of an alarm'),
    messageSchema,
  ),
});

/** One record of the event that SNS invokes a function with. */
export const snsAlarmRecordSchema = v.object({
  EventSource: v.literal('aws:sns'),
  EventVersion: v.exactOptional(v.string()),
  EventSubscriptionArn: v.exactOptional(v.string()),
  Sns: notification,
});

/** SNS puts exactly one record into an invocation. */
export const snsAlarmSchema = v.object({
  Records: v.tuple([snsAlarmRecordSchema]),
});

/** SNS's own JSON, as a queue subscribed to the topic receives it. */
const snsNotificationSchema = v.object({ Type: v.literal('Notification'), ...notification.entries });

function toChange(message: v.InferOutput<typeof messageSchema>): AlarmChange {
  const metrics = message.Trigger?.Metrics ?? [];
  const dimensions = [
    ...(message.Trigger?.Dimensions ?? []),
    ...metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.Dimensions ?? []),
  ];
  return {
    alarmName: message.AlarmName,
    state: message.NewStateValue,
    time: message.StateChangeTime,
    dimensions: Object.fromEntries(dimensions.map(({ name, value }) => [name, value])),
  };
}

/** An alarm through SNS: the event of a subscribed function, or the body of a subscribed queue's message. */
export function parseSnsAlarm(event: unknown): Parsed<AlarmChange> {
  if (typeof event === 'object' && event !== null && 'Type' in event) {
    const parsed = parseShape(snsNotificationSchema, event);
    return parsed.ok ? { ok: true, value: toChange(parsed.value.Message) } : parsed;
  }
  const parsed = parseShape(snsAlarmSchema, event);
  return parsed.ok ? { ok: true, value: toChange(parsed.value.Records[0].Sns.Message) } : parsed;
}
