import type { EngineClock } from '../engine/clock.ts';
import { ServiceError } from '../engine/service.ts';
import type { Measurement } from './metricRecorder.ts';
import { type Aggregate, addSet, addValue, emptyAggregate, merge, type StatisticSet } from './statistics.ts';

export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Datum extends MetricId {
  readonly timestampMs: number;
  /** CloudWatch keeps measurements of different units apart. */
  readonly unit: string;
  readonly resolutionSeconds: 1 | 60;
  readonly values: readonly (readonly [value: number, count: number])[];
  readonly set?: StatisticSet;
}

interface Series extends MetricId {
  /** By unit, then by the start of the bucket in epoch ms. */
  readonly units: Map<string, Map<number, Aggregate>>;
}

/** What the engine remembers of each metric; the service keeps 15 months. */
export const RETENTION_MS = 3 * 3_600_000;
const MAX_SERIES = 10_000;

/** One text for a metric, whatever the order its dimensions came in. */
export function metricKey({ namespace, name, dimensions }: MetricId): string {
  const sorted = Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}

/** Measurements of the last three hours, in buckets of a second (high resolution) or a minute. In memory only. */
export class MetricStore {
  readonly #clock: EngineClock;
  readonly #series = new Map<string, Series>();

  constructor(clock: EngineClock) {
    this.#clock = clock;
  }

  /** Returns the key of the metric that changed. */
  add(datum: Datum): string {
    const key = metricKey(datum);
    const series = this.#series.get(key) ?? this.#create(key, datum);
    const buckets = series.units.get(datum.unit) ?? new Map<number, Aggregate>();
    series.units.set(datum.unit, buckets);
    const widthMs = datum.resolutionSeconds * 1000;
    const startMs = Math.floor(datum.timestampMs / widthMs) * widthMs;
    const oldestMs = this.#clock.now() - RETENTION_MS;
    for (const bucketMs of buckets.keys()) {
      // Buckets come roughly in the order of time, so the old ones stand in front.
      if (bucketMs >= oldestMs) break;
      buckets.delete(bucketMs);
    }
    if (startMs < oldestMs) return key;
    const bucket = buckets.get(startMs) ?? emptyAggregate();
    buckets.set(startMs, bucket);
    for (const [value, count] of datum.values) addValue(bucket, value, count);
    if (datum.set) addSet(bucket, datum.set);
    return key;
  }

  record(measurement: Measurement): string {
    return this.add({
      namespace: measurement.namespace,
      name: measurement.name,
      dimensions: measurement.dimensions ?? {},
      timestampMs: measurement.timestampMs ?? this.#clock.now(),
      unit: measurement.unit ?? 'None',
      resolutionSeconds: measurement.resolutionSeconds ?? 60,
      values: [[measurement.value, 1]],
    });
  }

  /**
   * Aggregates by period, in order of time, for periods that hold data: those that begin in [startMs, endMs). Periods
   * are counted from `startMs`.
   */
  query(
    key: string,
    range: { readonly startMs: number; readonly endMs: number; readonly periodMs: number },
    unit: string | undefined,
  ): Map<number, Aggregate> {
    const { startMs, endMs, periodMs } = range;
    const found = new Map<number, Aggregate>();
    for (const [ownUnit, buckets] of this.#series.get(key)?.units ?? []) {
      if (unit !== undefined && unit !== ownUnit) continue;
      for (const [bucketMs, aggregate] of buckets) {
        if (bucketMs < startMs || bucketMs >= endMs) continue;
        const periodStartMs = startMs + Math.floor((bucketMs - startMs) / periodMs) * periodMs;
        const into = found.get(periodStartMs) ?? emptyAggregate();
        merge(into, aggregate);
        found.set(periodStartMs, into);
      }
    }
    return new Map([...found].sort(([left], [right]) => left - right));
  }

  /** The unit of a metric's data, where there is only one. */
  unitOf(key: string): string | undefined {
    const units = [...(this.#series.get(key)?.units.keys() ?? [])];
    return units.length === 1 ? units[0] : undefined;
  }

  list(): MetricId[] {
    return [...this.#series.values()];
  }

  #create(key: string, { namespace, name, dimensions }: MetricId): Series {
    if (this.#series.size >= MAX_SERIES) this.#forgetOld();
    if (this.#series.size >= MAX_SERIES) throw new ServiceError('LimitExceeded', 'Too many metrics.');
    const series: Series = { namespace, name, dimensions, units: new Map() };
    this.#series.set(key, series);
    return series;
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.now() - RETENTION_MS;
    for (const [key, { units }] of this.#series) {
      const isOld = [...units.values()].every((buckets) =>
        [...buckets.keys()].every((atMs) => atMs < oldestMs),
      );
      if (isOld) this.#series.delete(key);
    }
  }
}
