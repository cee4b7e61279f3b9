import type * as api from '@aws-sdk/client-cloudwatch';
import { type Operations, ServiceError } from '../engine/service.ts';
import { type Alarm, alarmSpecOf, isSimpleStatistic } from './alarm.ts';
import type { AlarmHistory } from './alarmHistory.ts';
import type { Alarms } from './alarms.ts';

const MAX_RECORDS = 100;

function describe(alarm: Alarm): api.MetricAlarm {
  const { metric, status } = alarm;
  return {
    AlarmName: alarm.name,
    AlarmArn: alarm.arn,
    ...(alarm.description === undefined ? {} : { AlarmDescription: alarm.description }),
    AlarmConfigurationUpdatedTimestamp: new Date(alarm.configuredMs),
    ActionsEnabled: alarm.actionsEnabled,
    OKActions: [...(alarm.okActions ?? [])],
    AlarmActions: [...(alarm.alarmActions ?? [])],
    InsufficientDataActions: [...(alarm.insufficientDataActions ?? [])],
    StateValue: status.value,
    StateReason: status.reason,
    ...(status.reasonData ? { StateReasonData: status.reasonData } : {}),
    StateUpdatedTimestamp: new Date(status.updatedMs),
    StateTransitionedTimestamp: new Date(alarm.transitionedMs),
    MetricName: metric.name,
    Namespace: metric.namespace,
    ...(isSimpleStatistic(alarm.statistic)
      ? { Statistic: alarm.statistic as api.Statistic }
      : { ExtendedStatistic: alarm.statistic }),
    Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
    Period: alarm.periodSeconds,
    ...(alarm.unit ? { Unit: alarm.unit as api.StandardUnit } : {}),
    EvaluationPeriods: alarm.evaluationPeriods,
    DatapointsToAlarm: alarm.datapointsToAlarm,
    Threshold: alarm.threshold,
    ComparisonOperator: alarm.comparison,
    TreatMissingData: alarm.treatMissingData,
  };
}

function paged<T>(
  all: readonly T[],
  token: string | undefined,
  size: number,
): { items: T[]; NextToken?: string } {
  const start = token ? Number.parseInt(token, 36) : 0;
  if (Number.isNaN(start)) throw new ServiceError('InvalidNextToken', 'The next token specified is invalid.');
  const end = start + Math.min(size, MAX_RECORDS);
  return { items: all.slice(start, end), ...(end < all.length ? { NextToken: end.toString(36) } : {}) };
}

/** The operations on alarms. */
export function alarmOperations(alarms: Alarms, history: AlarmHistory): Operations {
  return {
    PutMetricAlarm(input: api.PutMetricAlarmCommandInput) {
      alarms.put(alarmSpecOf(input));
      return {};
    },
    DescribeAlarms(input: api.DescribeAlarmsCommandInput) {
      const names = input.AlarmNames?.length ? new Set(input.AlarmNames) : undefined;
      const wantsMetricAlarms = !input.AlarmTypes?.length || input.AlarmTypes.includes('MetricAlarm');
      const actionsOf = (alarm: Alarm): readonly string[] => [
        ...(alarm.okActions ?? []),
        ...(alarm.alarmActions ?? []),
        ...(alarm.insufficientDataActions ?? []),
      ];
      const { ActionPrefix: action } = input;
      const found = alarms
        .all()
        .filter(
          (alarm) =>
            wantsMetricAlarms &&
            (names?.has(alarm.name) ?? true) &&
            alarm.name.startsWith(input.AlarmNamePrefix ?? '') &&
            (input.StateValue === undefined || alarm.status.value === input.StateValue) &&
            (action === undefined || actionsOf(alarm).some((arn) => arn.startsWith(action))),
        );
      const { items, NextToken } = paged(found, input.NextToken, input.MaxRecords ?? 50);
      return {
        MetricAlarms: items.map(describe),
        CompositeAlarms: [],
        ...(NextToken ? { NextToken } : {}),
      };
    },
    DeleteAlarms(input: api.DeleteAlarmsCommandInput) {
      const names = input.AlarmNames ?? [];
      // All or nothing: one unknown name among several fails the request.
      if (names.length > 1) for (const name of names) alarms.get(name);
      alarms.delete(names);
      return {};
    },
    SetAlarmState(input: api.SetAlarmStateCommandInput) {
      const { AlarmName = '', StateValue, StateReason = '', StateReasonData } = input;
      if (StateValue !== 'OK' && StateValue !== 'ALARM' && StateValue !== 'INSUFFICIENT_DATA') {
        throw new ServiceError(
          'ValidationError',
          `The value ${StateValue} for parameter StateValue is invalid.`,
        );
      }
      alarms.setState(AlarmName, StateValue, StateReason, StateReasonData);
      return {};
    },
    EnableAlarmActions(input: api.EnableAlarmActionsCommandInput) {
      alarms.enableActions(input.AlarmNames ?? [], true);
      return {};
    },
    DisableAlarmActions(input: api.DisableAlarmActionsCommandInput) {
      alarms.enableActions(input.AlarmNames ?? [], false);
      return {};
    },
    DescribeAlarmHistory(input: api.DescribeAlarmHistoryCommandInput) {
      const { StartDate, EndDate, HistoryItemType, AlarmName } = input;
      const found = history
        .all()
        .filter(
          (item) =>
            (AlarmName === undefined || item.alarmName === AlarmName) &&
            (HistoryItemType === undefined || item.type === HistoryItemType) &&
            item.atMs >= (StartDate?.getTime() ?? 0) &&
            item.atMs <= (EndDate?.getTime() ?? Number.POSITIVE_INFINITY),
        );
      const ordered = input.ScanBy === 'TimestampAscending' ? found : [...found].reverse();
      const { items, NextToken } = paged(ordered, input.NextToken, input.MaxRecords ?? 50);
      const AlarmHistoryItems: api.AlarmHistoryItem[] = items.map((item) => ({
        AlarmName: item.alarmName,
        AlarmType: 'MetricAlarm',
        Timestamp: new Date(item.atMs),
        HistoryItemType: item.type,
        HistorySummary: item.summary,
        HistoryData: item.data,
      }));
      return { AlarmHistoryItems, ...(NextToken ? { NextToken } : {}) };
    },
  };
}
