import type { Log, LogFields } from '../../layers/runtime/logger.ts';
import type { Dimensions, Metrics, Unit } from '../../layers/runtime/metrics.ts';

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

interface Sample {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  readonly dimensions: Dimensions;
}

export interface RecordedTelemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: { now(): number };
  readonly lines: readonly Line[];
  readonly samples: readonly Sample[];
  /** Request ids of the invocations that were begun. */
  readonly begun: readonly string[];
  readonly flushes: number;
  /** Names of the metrics that had been added when something was flushed. */
  readonly flushed: readonly string[];
  total(name: string): number;
}

/** Logging and metrics that remember what they were told; the clock goes on by one millisecond a look. */
export function recordedTelemetry(): RecordedTelemetry {
  const lines: Line[] = [];
  const samples: Sample[] = [];
  const begun: string[] = [];
  const flushed: string[] = [];
  let flushes = 0;
  let unflushed: string[] = [];
  let now = 1_700_000_000_000;
  const line =
    (level: Line['level']) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  const sample: Metrics['sample'] = (name, value, unit, dimensions = {}) => {
    samples.push({ name, value, unit, dimensions });
    unflushed.push(name);
  };
  return {
    lines,
    samples,
    begun,
    flushed,
    get flushes() {
      return flushes;
    },
    total: (name) => samples.reduce((sum, each) => (each.name === name ? sum + each.value : sum), 0),
    clock: { now: () => now++ },
    log: {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      with: () => {},
      begin: (context) => begun.push(context.awsRequestId),
    },
    metrics: {
      count: (name, value = 1, dimensions = {}) => sample(name, value, 'Count', dimensions),
      sample,
      flush: () => {
        flushes += 1;
        flushed.push(...unflushed);
        unflushed = [];
      },
    },
  };
}
