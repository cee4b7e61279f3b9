import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';

export const METRIC_NAMESPACE = 'Berth';

export type Unit = 'Count' | 'Milliseconds' | 'Seconds';

/** Bounded sets of values only (a cluster, a pool, a state): every combination is a metric that is paid for. */
export type Dimensions = Readonly<Record<string, string>>;

/** Numbers that leave as CloudWatch embedded metrics (EMF) in the log, under the namespace `Berth` and a `service` dimension. */
export interface Metrics {
  count(name: string, value?: number, dimensions?: Dimensions): void;
  /** One sample of a distribution or the present value of a level. */
  sample(name: string, value: number, unit: Unit, dimensions?: Dimensions): void;
  /** Writes what was added since the last flush. The middleware calls it at the end of every invocation. */
  flush(): void;
}

const units: Readonly<Record<Unit, (typeof MetricUnit)[keyof typeof MetricUnit]>> = {
  Count: MetricUnit.Count,
  Milliseconds: MetricUnit.Milliseconds,
  Seconds: MetricUnit.Seconds,
};

const keyOf = (dimensions: Dimensions): string =>
  JSON.stringify(Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)));

/** One EMF line carries one set of dimensions, so that there is one buffer for each set seen. */
export function createMetrics({ service }: { readonly service: string }): Metrics {
  const buffers = new Map<string, PowertoolsMetrics>();
  const bufferOf = (dimensions: Dimensions): PowertoolsMetrics => {
    const key = keyOf(dimensions);
    const known = buffers.get(key);
    if (known) return known;
    const buffer = new PowertoolsMetrics({
      namespace: METRIC_NAMESPACE,
      serviceName: service,
      defaultDimensions: { ...dimensions },
    });
    buffers.set(key, buffer);
    return buffer;
  };
  const sample: Metrics['sample'] = (name, value, unit, dimensions = {}) => {
    bufferOf(dimensions).addMetric(name, units[unit], value);
  };
  return {
    count: (name, value = 1, dimensions = {}) => sample(name, value, 'Count', dimensions),
    sample,
    flush: () => {
      for (const buffer of buffers.values()) buffer.publishStoredMetrics();
      buffers.clear();
    },
  };
}
