import type { PutMetricAlarmCommandInput } from '@aws-sdk/client-cloudwatch';
import { ServiceError } from '../engine/service.ts';
import { dimensionsOf, invalid, namespaceOf, periodMsOf } from './metricInput.ts';
import type { MetricId } from './metricStore.ts';
import { SIMPLE_STATISTICS, statisticOf } from './statistics.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type Comparison =
  | 'GreaterThanThreshold'
  | 'GreaterThanOrEqualToThreshold'
  | 'LessThanThreshold'
  | 'LessThanOrEqualToThreshold';
export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

/** The settings of an alarm. A template's alarm gives the same, in the engine's words. */
export interface AlarmSpec {
  readonly name: string;
  readonly description?: string;
  readonly metric: MetricId;
  readonly unit?: string;
  /** A simple statistic or a percentile. */
  readonly statistic: string;
  readonly periodSeconds: number;
  /** N: how many of the latest periods are looked at. */
  readonly evaluationPeriods: number;
  /** M: how many of them must breach; N when absent. */
  readonly datapointsToAlarm?: number;
  readonly threshold: number;
  readonly comparison: Comparison;
  readonly treatMissingData?: MissingData;
  readonly actionsEnabled?: boolean;
  /** ARNs of SNS topics and Lambda functions. */
  readonly okActions?: readonly string[];
  readonly alarmActions?: readonly string[];
  readonly insufficientDataActions?: readonly string[];
}

export interface AlarmStatus {
  readonly value: AlarmState;
  readonly reason: string;
  /** JSON text; absent when nothing was evaluated. */
  readonly reasonData?: string;
  /** Epoch ms. */
  readonly updatedMs: number;
}

/** An alarm as the engine keeps it. */
export interface Alarm extends AlarmSpec {
  readonly arn: string;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: MissingData;
  readonly actionsEnabled: boolean;
  readonly configuredMs: number;
  readonly status: AlarmStatus;
  /** When the value last changed; the status is also updated when only its reason changes. */
  readonly transitionedMs: number;
}

const COMPARISONS: readonly string[] = [
  'GreaterThanThreshold',
  'GreaterThanOrEqualToThreshold',
  'LessThanThreshold',
  'LessThanOrEqualToThreshold',
];
const MISSING: readonly string[] = ['missing', 'ignore', 'breaching', 'notBreaching'];
const MAX_WINDOW_SECONDS = 86_400;

const failed = (message: string): ServiceError => new ServiceError('ValidationError', message);

function checkActions(actions: readonly string[] | undefined): void {
  if ((actions?.length ?? 0) > 5) throw failed('An alarm can have at most five actions for a state.');
  for (const arn of actions ?? []) {
    // The service has more kinds; an action that would never run must not be accepted in silence.
    if (!/^arn:aws[a-z-]*:(sns|lambda):/.test(arn)) throw failed(`Invalid arn syntax: ${arn}`);
  }
}

/** Checks settings against the service's rules. Throws ValidationError or InvalidParameterValue. */
export function checkAlarm(spec: AlarmSpec): void {
  if (!/^.{1,255}$/.test(spec.name)) throw invalid('The parameter AlarmName must have 1 to 255 characters.');
  namespaceOf(spec.metric.namespace, false);
  statisticOf(spec.statistic);
  const { periodSeconds, evaluationPeriods, datapointsToAlarm = evaluationPeriods } = spec;
  periodMsOf(periodSeconds);
  if (![10, 20, 30].includes(periodSeconds) && periodSeconds % 60 !== 0) {
    throw failed('Period must be 10, 20, 30 or a multiple of 60');
  }
  if (!Number.isInteger(evaluationPeriods) || evaluationPeriods < 1) {
    throw failed('EvaluationPeriods must be at least 1');
  }
  if (
    !Number.isInteger(datapointsToAlarm) ||
    datapointsToAlarm < 1 ||
    datapointsToAlarm > evaluationPeriods
  ) {
    throw failed('DatapointsToAlarm must be between 1 and EvaluationPeriods');
  }
  if (periodSeconds * evaluationPeriods > MAX_WINDOW_SECONDS) {
    throw failed(
      'Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).',
    );
  }
  if (!COMPARISONS.includes(spec.comparison)) {
    throw failed(`ComparisonOperator ${spec.comparison} is not supported: only thresholds are.`);
  }
  if (!MISSING.includes(spec.treatMissingData ?? 'missing'))
    throw failed('Invalid option for TreatMissingData');
  if (!Number.isFinite(spec.threshold)) throw failed('Threshold is required');
  for (const actions of [spec.okActions, spec.alarmActions, spec.insufficientDataActions])
    checkActions(actions);
}

/** The settings in a PutMetricAlarm request. */
export function alarmSpecOf(input: PutMetricAlarmCommandInput): AlarmSpec {
  if (input.Metrics?.length || !input.MetricName) {
    throw failed('Only alarms on one metric (MetricName, Namespace) are supported here.');
  }
  if ((input.Statistic === undefined) === (input.ExtendedStatistic === undefined)) {
    throw failed('Exactly one of Statistic and ExtendedStatistic must be given');
  }
  return {
    name: input.AlarmName ?? '',
    ...(input.AlarmDescription === undefined ? {} : { description: input.AlarmDescription }),
    metric: {
      namespace: input.Namespace ?? '',
      name: input.MetricName,
      dimensions: dimensionsOf(input.Dimensions),
    },
    ...(input.Unit === undefined ? {} : { unit: input.Unit }),
    statistic: input.Statistic ?? input.ExtendedStatistic ?? '',
    periodSeconds: input.Period ?? 0,
    evaluationPeriods: input.EvaluationPeriods ?? 0,
    ...(input.DatapointsToAlarm === undefined ? {} : { datapointsToAlarm: input.DatapointsToAlarm }),
    threshold: input.Threshold ?? Number.NaN,
    comparison: input.ComparisonOperator as Comparison,
    ...(input.TreatMissingData === undefined
      ? {}
      : { treatMissingData: input.TreatMissingData as MissingData }),
    ...(input.ActionsEnabled === undefined ? {} : { actionsEnabled: input.ActionsEnabled }),
    okActions: input.OKActions ?? [],
    alarmActions: input.AlarmActions ?? [],
    insufficientDataActions: input.InsufficientDataActions ?? [],
  };
}

export const isSimpleStatistic = (statistic: string): boolean =>
  (SIMPLE_STATISTICS as readonly string[]).includes(statistic);
