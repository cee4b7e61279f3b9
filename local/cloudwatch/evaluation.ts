import type { AlarmState, Comparison, MissingData } from './alarm.ts';

/** The service looks back a little further than N periods, so that late or missing data do not decide. */
export const EXTRA_PERIODS = 2;

export interface Rule {
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: Comparison;
  readonly treatMissingData: MissingData;
}

export function breaches(
  value: number,
  { comparison, threshold }: Pick<Rule, 'comparison' | 'threshold'>,
): boolean {
  switch (comparison) {
    case 'GreaterThanThreshold':
      return value > threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold;
    case 'LessThanThreshold':
      return value < threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= threshold;
  }
}

/** What an evaluation comes to; `keep` leaves the alarm in its state. */
export interface Verdict {
  readonly state: AlarmState | 'keep';
  /** How many datapoints had to be filled in by the rule for missing data. */
  readonly filled: number;
}

/**
 * Decides an M-out-of-N alarm from the datapoints of its evaluation range, oldest first, undefined where missing.
 * Source: "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide, both of its tables.
 *
 * With N datapoints in the range, the latest N decide and the rule for missing data has no say. With fewer, the rule
 * fills up to N; `missing` and `ignore` fill with nothing, and breaching ones alone raise the alarm early once the
 * oldest is M periods old.
 */
export function decide(points: readonly (number | undefined)[], rule: Rule): Verdict {
  const { evaluationPeriods, datapointsToAlarm, treatMissingData } = rule;
  const real = points.filter((value) => value !== undefined);
  const latest = real.slice(-evaluationPeriods);
  const breaching = latest.filter((value) => breaches(value, rule)).length;
  const filled = evaluationPeriods - latest.length;
  if (filled === 0) return { state: breaching >= datapointsToAlarm ? 'ALARM' : 'OK', filled };
  if (treatMissingData === 'breaching') {
    return { state: breaching + filled >= datapointsToAlarm ? 'ALARM' : 'OK', filled };
  }
  if (treatMissingData === 'notBreaching') {
    return { state: breaching >= datapointsToAlarm ? 'ALARM' : 'OK', filled };
  }
  if (real.length === 0)
    return { state: treatMissingData === 'ignore' ? 'keep' : 'INSUFFICIENT_DATA', filled };
  if (breaching >= datapointsToAlarm) return { state: 'ALARM', filled };
  if (breaching < real.length) return { state: 'OK', filled };
  if (treatMissingData === 'ignore') return { state: 'keep', filled };
  const oldest = points.findIndex((value) => value !== undefined);
  return { state: points.length - oldest >= datapointsToAlarm ? 'ALARM' : 'keep', filled };
}

/**
 * Whether a breach by a period that is still open can be believed. Not where more data could only undo it: a sum of
 * half a minute is below any lower bound soon enough, a minimum above any upper one.
 */
export function canBreachEarly(statistic: string, comparison: Comparison): boolean {
  const isUpper = comparison.startsWith('Greater');
  if (statistic === 'Minimum') return !isUpper;
  if (statistic === 'Sum' || statistic === 'SampleCount' || statistic === 'Maximum') return isUpper;
  return true;
}
