import * as v from 'valibot';

export type AlarmState = 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';

export const alarmState = v.picklist(['ALARM', 'OK', 'INSUFFICIENT_DATA'] satisfies AlarmState[]);

/** One change of an alarm's state, whichever way it was told. */
export interface AlarmChange {
  readonly alarmName: string;
  readonly state: AlarmState;
  readonly previous?: AlarmState;
  /** The same for every telling of one change: by EventBridge, by SNS, as a direct action, twice. */
  readonly changeId: string;
  /** Of all metrics the alarm watches; a composite alarm has none. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** When the state changed, epoch ms. */
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

/** CloudWatch gives a change no id; name, moment (it is told to the millisecond in all three) and new state make one. */
export const alarmChange = (
  facts: Omit<AlarmChange, 'changeId' | 'previous'> & { previous: AlarmState | undefined },
): AlarmChange => {
  const { previous, ...rest } = facts;
  return {
    ...rest,
    ...(previous === undefined ? {} : { previous }),
    changeId: `${facts.alarmName}@${facts.time}:${facts.state}`,
  };
};
