/** A measurement as AWS services record theirs. */
export interface Measurement {
  readonly namespace: string;
  readonly name: string;
  readonly value: number;
  /** CloudWatch's unit, e.g. `Milliseconds`; `None` when absent. */
  readonly unit?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  /** Epoch ms; now when absent. */
  readonly timestampMs?: number;
  /** Seconds a datapoint covers; 60 when absent. */
  readonly resolutionSeconds?: 1 | 60;
}

/** Where the other engines write the metrics that AWS services publish. */
export interface MetricRecorder {
  record(measurements: readonly Measurement[]): void;
}

export const noMetrics: MetricRecorder = { record: () => {} };
