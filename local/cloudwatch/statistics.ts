import { ServiceError } from '../engine/service.ts';

/** What is kept of the measurements of one bucket of time. */
export interface Aggregate {
  count: number;
  sum: number;
  minimum: number;
  maximum: number;
  /** Values with their counts, for percentiles; undefined once a statistic set whose values are unknown came in. */
  values: Map<number, number> | undefined;
}

/** Beyond this many distinct values, new ones are kept to three digits: percentiles are then 0.5% off at most. */
const MAX_EXACT_VALUES = 500;

export const emptyAggregate = (): Aggregate => ({
  count: 0,
  sum: 0,
  minimum: Number.POSITIVE_INFINITY,
  maximum: Number.NEGATIVE_INFINITY,
  values: new Map(),
});

function countValue(values: Map<number, number>, value: number, count: number): void {
  const isExact = values.size < MAX_EXACT_VALUES || values.has(value);
  const kept = isExact ? value : Number(value.toPrecision(3));
  values.set(kept, (values.get(kept) ?? 0) + count);
}

export function addValue(into: Aggregate, value: number, count: number): void {
  into.count += count;
  into.sum += value * count;
  into.minimum = Math.min(into.minimum, value);
  into.maximum = Math.max(into.maximum, value);
  if (into.values) countValue(into.values, value, count);
}

export interface StatisticSet {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** A statistic set's values are known only when they are all the same. */
export function addSet(into: Aggregate, set: StatisticSet): void {
  into.count += set.count;
  into.sum += set.sum;
  into.minimum = Math.min(into.minimum, set.minimum);
  into.maximum = Math.max(into.maximum, set.maximum);
  if (set.minimum !== set.maximum) into.values = undefined;
  else if (into.values) countValue(into.values, set.minimum, set.count);
}

export function merge(into: Aggregate, from: Aggregate): void {
  into.count += from.count;
  into.sum += from.sum;
  into.minimum = Math.min(into.minimum, from.minimum);
  into.maximum = Math.max(into.maximum, from.maximum);
  if (!from.values) into.values = undefined;
  else if (into.values) for (const [value, count] of from.values) countValue(into.values, value, count);
}

export const SIMPLE_STATISTICS = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'] as const;
export type SimpleStatistic = (typeof SIMPLE_STATISTICS)[number];

/** Reads the aggregate's value; undefined when it cannot be told (percentiles of statistic sets). */
export type Statistic = (aggregate: Aggregate) => number | undefined;

/** The smallest value that at least `percent` of the measurements do not exceed. */
function percentile(aggregate: Aggregate, percent: number): number | undefined {
  const { values } = aggregate;
  if (!values) return undefined;
  const rank = (percent / 100) * aggregate.count;
  let seen = 0;
  for (const [value, count] of [...values].sort(([left], [right]) => left - right)) {
    seen += count;
    if (seen >= rank) return value;
  }
  return undefined;
}

const PERCENTILE = /^p(\d{1,2}(?:\.\d{1,10})?|100)$/;

/** By its name in the API: a simple statistic or a percentile such as `p99.9`. */
export function statisticOf(name: string): Statistic {
  const percent = PERCENTILE.exec(name)?.[1];
  if (percent !== undefined) return (aggregate) => percentile(aggregate, Number(percent));
  switch (name) {
    case 'SampleCount':
      return (aggregate) => aggregate.count;
    case 'Sum':
      return (aggregate) => aggregate.sum;
    case 'Average':
      return (aggregate) => aggregate.sum / aggregate.count;
    case 'Minimum':
      return (aggregate) => aggregate.minimum;
    case 'Maximum':
      return (aggregate) => aggregate.maximum;
    default:
      throw new ServiceError(
        'InvalidParameterValue',
        `The value ${name} for parameter Statistics or ExtendedStatistics is not supported.`,
      );
  }
}
