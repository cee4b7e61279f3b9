import type { Alarm } from './alarm.ts';
import { breaches, type Verdict } from './evaluation.ts';

/** One period an evaluation looked at. */
export interface EvaluatedPeriod {
  readonly startMs: number;
  readonly value: number | undefined;
  readonly sampleCount: number | undefined;
}

/** The service writes instants with a numeric zone, e.g. `2026-01-01T00:00:00.000+0000`. */
export const instant = (atMs: number): string => new Date(atMs).toISOString().replace('Z', '+0000');

const number = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));
const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const COMPARISON_WORDS = {
  GreaterThanThreshold: 'greater than',
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  LessThanThreshold: 'less than',
  LessThanOrEqualToThreshold: 'less than or equal to',
} as const;

/** `24/11/26 05:49:00` */
function shortTime(atMs: number): string {
  const [date = '', time = ''] = new Date(atMs).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}

/** The sentence the service gives for a state. `periods` are oldest first. */
export function reasonOf(alarm: Alarm, periods: readonly EvaluatedPeriod[], verdict: Verdict): string {
  const real = periods.filter((period) => period.value !== undefined).slice(-alarm.evaluationPeriods);
  if (verdict.state === 'INSUFFICIENT_DATA') {
    const count = alarm.evaluationPeriods;
    return `Insufficient Data: ${plural(count, 'datapoint')} ${count === 1 ? 'was' : 'were'} unknown.`;
  }
  if (real.length === 0) {
    const treated = alarm.treatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching';
    const count = verdict.filled;
    return (
      `Threshold Crossed: no datapoints were received for ${plural(count, 'period')} and ` +
      `${plural(count, 'missing datapoint')} ${count === 1 ? 'was' : 'were'} treated as [${treated}].`
    );
  }
  const isAlarm = verdict.state === 'ALARM';
  const meant = real.filter(({ value }) => value !== undefined && breaches(value, alarm) === isAlarm);
  const shown = meant.map(({ value, startMs }) => `${number(value ?? 0)} (${shortTime(startMs)})`).join(', ');
  const verb = meant.length === 1 ? 'was' : 'were';
  const needed = isAlarm ? alarm.datapointsToAlarm : alarm.evaluationPeriods - alarm.datapointsToAlarm + 1;
  const way = isAlarm ? 'OK -> ALARM' : 'ALARM -> OK';
  return (
    `Threshold Crossed: ${meant.length} out of the last ${alarm.evaluationPeriods} datapoints [${shown}] ` +
    `${verb}${isAlarm ? '' : ' not'} ${COMPARISON_WORDS[alarm.comparison]} the threshold (${number(alarm.threshold)}) ` +
    `(minimum ${plural(needed, 'datapoint')} for ${way} transition).`
  );
}

/** The JSON text the service gives along with a reason: what was looked at, latest first. */
export function reasonDataOf(alarm: Alarm, periods: readonly EvaluatedPeriod[], nowMs: number): string {
  const looked = periods.slice(-alarm.evaluationPeriods);
  const real = looked.filter((period) => period.value !== undefined);
  const first = real[0];
  return JSON.stringify({
    version: '1.0',
    queryDate: instant(nowMs),
    ...(first ? { startDate: instant(first.startMs) } : {}),
    ...(alarm.unit ? { unit: alarm.unit } : {}),
    statistic: alarm.statistic,
    period: alarm.periodSeconds,
    recentDatapoints: real.map(({ value }) => value),
    threshold: alarm.threshold,
    evaluatedDatapoints: [...looked].reverse().map(({ startMs, value, sampleCount }) => ({
      timestamp: instant(startMs),
      ...(value === undefined ? {} : { sampleCount, value }),
    })),
  });
}
