import type * as api from '@aws-sdk/client-cloudwatch';
import { ServiceError } from '../engine/service.ts';
import type { Datum } from './metricStore.ts';

const MAX_DATA = 1_000;
const MAX_VALUES = 150;
const MAX_DIMENSIONS = 30;
const PAST_MS = 14 * 86_400_000;
const FUTURE_MS = 2 * 3_600_000;

export const invalid = (message: string): ServiceError => new ServiceError('InvalidParameterValue', message);

export function namespaceOf(namespace: string | undefined, isForWriting: boolean): string {
  if (!namespace) throw new ServiceError('MissingParameter', 'The parameter Namespace is required.');
  const isBad = !/^[^:][\x20-\x7e]{0,254}$/.test(namespace) || (isForWriting && namespace.startsWith('AWS/'));
  if (isBad) throw invalid(`The value ${namespace} for parameter Namespace is invalid.`);
  return namespace;
}

export function dimensionsOf(dimensions: readonly api.Dimension[] | undefined): Record<string, string> {
  if ((dimensions?.length ?? 0) > MAX_DIMENSIONS) {
    throw invalid(`The collection Dimensions must not have a size greater than ${MAX_DIMENSIONS}.`);
  }
  const named: Record<string, string> = {};
  for (const { Name, Value } of dimensions ?? []) {
    if (!Name || !Value)
      throw invalid('The parameter Dimensions must have a Name and a Value in each member.');
    named[Name] = Value;
  }
  return named;
}

function numberOf(value: number | undefined, where: string): number {
  if (value === undefined || !Number.isFinite(value) || Math.abs(value) > 2 ** 360) {
    throw invalid(`The value ${value} for parameter ${where} is invalid.`);
  }
  return value;
}

/** Checks one member of MetricData, as PutMetricData does. */
export function datumOf(namespace: string, input: api.MetricDatum, index: number, nowMs: number): Datum {
  const where = `MetricData.member.${index + 1}`;
  if (!input.MetricName)
    throw new ServiceError('MissingParameter', `The parameter ${where}.MetricName is required.`);
  const timestampMs = input.Timestamp?.getTime() ?? nowMs;
  if (timestampMs < nowMs - PAST_MS || timestampMs > nowMs + FUTURE_MS) {
    throw invalid(`The parameter ${where}.Timestamp must specify a time within the past two weeks.`);
  }
  const { Values, Counts, StatisticValues } = input;
  if (Counts && Counts.length !== Values?.length) {
    throw invalid(`The parameters ${where}.Values and ${where}.Counts must be of the same size.`);
  }
  if ((Values?.length ?? 0) > MAX_VALUES)
    throw invalid(`${where}.Values holds more than ${MAX_VALUES} values.`);
  const given = [input.Value, Values, StatisticValues].filter((part) => part !== undefined).length;
  if (given !== 1) {
    throw new ServiceError(
      'InvalidParameterCombination',
      `Exactly one of ${where}.Value, ${where}.Values and ${where}.StatisticValues must be given.`,
    );
  }
  const single = input.Value === undefined ? [] : [[numberOf(input.Value, `${where}.Value`), 1] as const];
  const many = Values?.map((value, at) => [numberOf(value, `${where}.Values`), Counts?.[at] ?? 1] as const);
  return {
    namespace,
    name: input.MetricName,
    dimensions: dimensionsOf(input.Dimensions),
    timestampMs,
    unit: input.Unit ?? 'None',
    resolutionSeconds: input.StorageResolution === 1 ? 1 : 60,
    values: many ?? single,
    ...(StatisticValues && {
      set: {
        count: numberOf(StatisticValues.SampleCount, `${where}.StatisticValues.SampleCount`),
        sum: numberOf(StatisticValues.Sum, `${where}.StatisticValues.Sum`),
        minimum: numberOf(StatisticValues.Minimum, `${where}.StatisticValues.Minimum`),
        maximum: numberOf(StatisticValues.Maximum, `${where}.StatisticValues.Maximum`),
      },
    }),
  };
}

export function dataOf(input: api.PutMetricDataCommandInput, nowMs: number): Datum[] {
  const namespace = namespaceOf(input.Namespace, true);
  const data = input.MetricData ?? [];
  if (data.length > MAX_DATA) {
    throw invalid(`The collection MetricData must not have a size greater than ${MAX_DATA}.`);
  }
  return data.map((datum, index) => datumOf(namespace, datum, index, nowMs));
}

/** A period is 1, 5, 10, 20 or 30 seconds or a multiple of 60. */
export function periodMsOf(periodSeconds: number | undefined): number {
  const period = periodSeconds ?? 0;
  const isValid =
    Number.isInteger(period) && ([1, 5, 10, 20, 30].includes(period) || (period > 0 && period % 60 === 0));
  if (!isValid)
    throw invalid(`The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not ${period}.`);
  return period * 1000;
}
