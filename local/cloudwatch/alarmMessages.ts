import { createHash } from 'node:crypto';
import type { AwsEvent } from '../engine/service.ts';
import { type Alarm, type AlarmStatus, isSimpleStatistic } from './alarm.ts';
import { instant } from './alarmReason.ts';

/** A change of an alarm's state, as it is announced. */
export interface Transition {
  readonly alarm: Alarm;
  readonly previous: AlarmStatus;
}

export interface Place {
  readonly region: string;
  readonly accountId: string;
}

const stateOf = (status: AlarmStatus): object => ({
  value: status.value,
  reason: status.reason,
  ...(status.reasonData ? { reasonData: status.reasonData } : {}),
  timestamp: instant(status.updatedMs),
});

/** The service gives every alarm's metric query an id that stays the same. */
function queryId(alarm: Alarm): string {
  const hex = createHash('sha256').update(alarm.arn).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

function configurationOf(alarm: Alarm): object {
  const { namespace, name, dimensions } = alarm.metric;
  return {
    ...(alarm.description === undefined ? {} : { description: alarm.description }),
    metrics: [
      {
        id: queryId(alarm),
        metricStat: {
          metric: { namespace, name, dimensions },
          period: alarm.periodSeconds,
          stat: alarm.statistic,
          ...(alarm.unit ? { unit: alarm.unit } : {}),
        },
        returnData: true,
      },
    ],
  };
}

const alarmData = ({ alarm, previous }: Transition): object => ({
  alarmName: alarm.name,
  state: stateOf(alarm.status),
  previousState: stateOf(previous),
  configuration: configurationOf(alarm),
});

/** `CloudWatch Alarm State Change` on the event bus. */
export const alarmEvent = (transition: Transition): AwsEvent => ({
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  resources: [transition.alarm.arn],
  timeMs: transition.alarm.status.updatedMs,
  detail: alarmData(transition),
});

/** What a Lambda function gets when it is an action of the alarm itself. */
export const lambdaActionPayload = (transition: Transition, place: Place): object => ({
  source: 'aws.cloudwatch',
  alarmArn: transition.alarm.arn,
  accountId: place.accountId,
  time: instant(transition.alarm.status.updatedMs),
  region: place.region,
  alarmData: alarmData(transition),
});

/** SNS messages name Regions as the console does; one that is not listed is given by its code. */
const REGION_NAMES: Readonly<Record<string, string>> = {
  'us-east-1': 'US East (N. Virginia)',
  'us-east-2': 'US East (Ohio)',
  'us-west-1': 'US West (N. California)',
  'us-west-2': 'US West (Oregon)',
  'ca-central-1': 'Canada (Central)',
  'eu-west-1': 'EU (Ireland)',
  'eu-west-2': 'EU (London)',
  'eu-west-3': 'EU (Paris)',
  'eu-central-1': 'EU (Frankfurt)',
  'eu-north-1': 'EU (Stockholm)',
  'ap-south-1': 'Asia Pacific (Mumbai)',
  'ap-southeast-1': 'Asia Pacific (Singapore)',
  'ap-southeast-2': 'Asia Pacific (Sydney)',
  'ap-northeast-1': 'Asia Pacific (Tokyo)',
  'sa-east-1': 'South America (Sao Paulo)',
};

/** The message a topic gets from an alarm. */
export function snsMessage({ alarm, previous }: Transition, place: Place): object {
  const { status, metric } = alarm;
  const statistic = isSimpleStatistic(alarm.statistic)
    ? { StatisticType: 'Statistic', Statistic: alarm.statistic.toUpperCase() }
    : { StatisticType: 'ExtendedStatistic', ExtendedStatistic: alarm.statistic };
  return {
    AlarmName: alarm.name,
    AlarmDescription: alarm.description ?? null,
    AWSAccountId: place.accountId,
    AlarmConfigurationUpdatedTimestamp: instant(alarm.configuredMs),
    NewStateValue: status.value,
    NewStateReason: status.reason,
    StateChangeTime: instant(status.updatedMs),
    Region: REGION_NAMES[place.region] ?? place.region,
    AlarmArn: alarm.arn,
    OldStateValue: previous.value,
    OKActions: alarm.okActions ?? [],
    AlarmActions: alarm.alarmActions ?? [],
    InsufficientDataActions: alarm.insufficientDataActions ?? [],
    Trigger: {
      MetricName: metric.name,
      Namespace: metric.namespace,
      ...statistic,
      Unit: alarm.unit ?? null,
      Dimensions: Object.entries(metric.dimensions).map(([name, value]) => ({ value, name })),
      Period: alarm.periodSeconds,
      EvaluationPeriods: alarm.evaluationPeriods,
      DatapointsToAlarm: alarm.datapointsToAlarm,
      ComparisonOperator: alarm.comparison,
      Threshold: alarm.threshold,
      TreatMissingData: alarm.treatMissingData,
      EvaluateLowSampleCountPercentile: '',
    },
  };
}
