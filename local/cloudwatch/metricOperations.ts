import type * as api from '@aws-sdk/client-cloudwatch';
import type { EngineClock } from '../engine/clock.ts';
import { type Operations, ServiceError } from '../engine/service.ts';
import { dataOf, dimensionsOf, invalid, namespaceOf, periodMsOf } from './metricInput.ts';
import { type Datum, type MetricId, type MetricStore, metricKey } from './metricStore.ts';
import { SIMPLE_STATISTICS, type SimpleStatistic, statisticOf } from './statistics.ts';

const MAX_DATAPOINTS = 1_440;
const MAX_QUERIES = 500;
const LIST_PAGE = 500;

function rangeOf(
  input: { StartTime?: Date | undefined; EndTime?: Date | undefined },
  periodMs: number,
): { startMs: number; endMs: number; periodMs: number } {
  const startMs = input.StartTime?.getTime();
  const endMs = input.EndTime?.getTime();
  if (startMs === undefined || endMs === undefined) {
    throw new ServiceError('MissingParameter', 'The parameters StartTime and EndTime are required.');
  }
  if (startMs >= endMs) throw invalid('The parameter StartTime must be less than the parameter EndTime.');
  return { startMs: Math.floor(startMs / periodMs) * periodMs, endMs, periodMs };
}

const sdkDimensions = (dimensions: MetricId['dimensions']): api.Dimension[] =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

function statistics(
  store: MetricStore,
  input: api.GetMetricStatisticsCommandInput,
): api.GetMetricStatisticsOutput {
  const metric: MetricId = {
    namespace: namespaceOf(input.Namespace, false),
    name: input.MetricName ?? '',
    dimensions: dimensionsOf(input.Dimensions),
  };
  const range = rangeOf(input, periodMsOf(input.Period));
  if ((range.endMs - range.startMs) / range.periodMs > MAX_DATAPOINTS) {
    throw new ServiceError(
      'InvalidParameterCombination',
      `You have requested more than ${MAX_DATAPOINTS} datapoints. Reduce them by increasing Period, or decreasing the time range.`,
    );
  }
  const simple = (input.Statistics ?? []).filter((name): name is SimpleStatistic =>
    (SIMPLE_STATISTICS as readonly string[]).includes(name),
  );
  const extended = input.ExtendedStatistics ?? [];
  if (simple.length + extended.length === 0) {
    throw new ServiceError(
      'InvalidParameterCombination',
      'At least one of Statistics and ExtendedStatistics is required.',
    );
  }
  const key = metricKey(metric);
  const unit = input.Unit ?? store.unitOf(key) ?? 'None';
  const points = [...store.query(key, range, input.Unit)].map(([startMs, aggregate]) => ({
    Timestamp: new Date(startMs),
    Unit: unit as api.StandardUnit,
    ...Object.fromEntries(simple.map((name) => [name, statisticOf(name)(aggregate)])),
    ...(extended.length > 0 && {
      ExtendedStatistics: Object.fromEntries(
        extended.flatMap((name) => {
          const value = statisticOf(name)(aggregate);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
    }),
  }));
  return { Label: metric.name, Datapoints: points };
}

function result(
  store: MetricStore,
  input: api.GetMetricDataCommandInput,
  query: api.MetricDataQuery,
): api.MetricDataResult {
  const stat = query.MetricStat;
  if (!query.Id || !/^[a-z][a-zA-Z0-9_]{0,254}$/.test(query.Id)) {
    throw new ServiceError('ValidationError', `The value ${query.Id} is not valid for parameter Id.`);
  }
  if (!stat?.Metric) {
    throw new ServiceError(
      'ValidationError',
      `Error in expression '${query.Id}': expressions are not supported here.`,
    );
  }
  const metric: MetricId = {
    namespace: namespaceOf(stat.Metric.Namespace, false),
    name: stat.Metric.MetricName ?? '',
    dimensions: dimensionsOf(stat.Metric.Dimensions),
  };
  const read = statisticOf(stat.Stat ?? '');
  const points = [
    ...store.query(metricKey(metric), rangeOf(input, periodMsOf(stat.Period)), stat.Unit),
  ].flatMap(([startMs, aggregate]) => {
    const value = read(aggregate);
    return value === undefined ? [] : [{ startMs, value }];
  });
  if (input.ScanBy !== 'TimestampAscending') points.reverse();
  return {
    Id: query.Id,
    Label: query.Label ?? metric.name,
    Timestamps: points.map(({ startMs }) => new Date(startMs)),
    Values: points.map(({ value }) => value),
    StatusCode: 'Complete',
  };
}

function isListed(metric: MetricId, input: api.ListMetricsCommandInput): boolean {
  if (input.Namespace !== undefined && input.Namespace !== metric.namespace) return false;
  if (input.MetricName !== undefined && input.MetricName !== metric.name) return false;
  return (input.Dimensions ?? []).every(({ Name, Value }) => {
    const own = metric.dimensions[Name ?? ''];
    return own !== undefined && (Value === undefined || Value === own);
  });
}

/** Putting, reading and listing metric data. `add` stores a datum and lets the alarms know. */
export function metricOperations(
  store: MetricStore,
  add: (data: readonly Datum[]) => void,
  clock: EngineClock,
): Operations {
  return {
    PutMetricData(input: api.PutMetricDataCommandInput) {
      add(dataOf(input, clock.now()));
      return {};
    },
    GetMetricStatistics: (input: api.GetMetricStatisticsCommandInput) => statistics(store, input),
    GetMetricData(input: api.GetMetricDataCommandInput) {
      const queries = input.MetricDataQueries ?? [];
      if (queries.length === 0 || queries.length > MAX_QUERIES) {
        throw new ServiceError(
          'ValidationError',
          `Between 1 and ${MAX_QUERIES} MetricDataQueries are allowed.`,
        );
      }
      const wanted = queries.filter((query) => query.ReturnData !== false);
      return { MetricDataResults: wanted.map((query) => result(store, input, query)), Messages: [] };
    },
    ListMetrics(input: api.ListMetricsCommandInput) {
      const all = store.list().filter((metric) => isListed(metric, input));
      const start = input.NextToken ? Number.parseInt(input.NextToken, 36) || 0 : 0;
      const end = start + LIST_PAGE;
      return {
        Metrics: all.slice(start, end).map(({ namespace, name, dimensions }) => ({
          Namespace: namespace,
          MetricName: name,
          Dimensions: sdkDimensions(dimensions),
        })),
        ...(end < all.length ? { NextToken: end.toString(36) } : {}),
      };
    },
  };
}
