import * as v from 'valibot';

export type AlarmState = 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';

export const alarmState = v.picklist(['ALARM', 'OK', 'INSUFFICIENT_DATA'] satisfies AlarmState[]);

/** One change of an alarm's state, the same whichever way it was told: by EventBridge, SNS or a direct action, or twice. */
export interface AlarmChange {
  readonly alarmName: string;
  readonly state: AlarmState;
  /** Of all metrics the alarm watches; a composite alarm has none. */
  readonly dimensions: Readonly<Record<string, string>>;
  /**
   * When the state changed, epoch ms: told to the millisecond in all three ways, so that with the name it identifies the
   * change, to which CloudWatch gives no id.
   */
  readonly time: number;
}

export const dimensionMap = v.record(v.string(), v.string());

/** `configuration.metrics`, the same in EventBridge and in a direct action. */
export const alarmConfiguration = v.object({
  metrics: v.exactOptional(
    v.array(
      v.object({
        metricStat: v.exactOptional(
          v.object({ metric: v.object({ dimensions: v.exactOptional(dimensionMap, {}) }) }),
        ),
      }),
    ),
    [],
  ),
});

export const dimensionsIn = (
  configuration: v.InferOutput<typeof alarmConfiguration> | undefined,
): Record<string, string> =>
  Object.fromEntries(
    (configuration?.metrics ?? []).flatMap(({ metricStat }) =>
      Object.entries(metricStat?.metric.dimensions ?? {}),
    ),
  );
