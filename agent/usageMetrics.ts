import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import type { Credentials } from './signature.ts';
import { AwsRefusal, type AwsService, signedCall } from './signedCall.ts';

export interface MetricsTarget {
  readonly logGroup: string;
  readonly region: string;
  readonly endpoint: string;
}

const NAMESPACE = 'Berth/Hosts';
/** The resolution of CloudWatch's standard metrics: more often would cost more and show no more. */
const PERIOD_MS = 60_000;
/** PutLogEvents takes up to 10,000; a host has far fewer tasks, and what is above this is left out of the metrics. */
const MAX_TASKS = 1_000;

const METRICS = {
  host: [
    ['CpuPressure', 'Percent'],
    ['MemoryPressure', 'Percent'],
    ['IoPressure', 'Percent'],
    ['Tasks', 'Count'],
  ],
  task: [
    ['CpuP50', 'None'],
    ['CpuP95', 'None'],
    ['MemoryP95', 'Megabytes'],
    ['Throttled', 'Milliseconds'],
  ],
} as const;

/**
 * The report as lines of CloudWatch's embedded metric format: one of the host by cluster, one of each task by cluster and
 * family. Instance and task are fields to search for and no dimensions, which would make a metric, and its price, of each.
 * Source: "Specification: Embedded metric format" in the CloudWatch user guide.
 */
export function metricLines(report: HostReport): string[] {
  const { cluster, instanceId, pressure, seenAt, tasks } = report;
  const line = (
    dimensions: readonly string[],
    metrics: readonly (readonly [string, string])[],
    values: object,
  ): string => {
    const Metrics = metrics.map(([Name, Unit]) => ({ Name, Unit }));
    const CloudWatchMetrics = [{ Namespace: NAMESPACE, Dimensions: [dimensions], Metrics }];
    return JSON.stringify({ _aws: { Timestamp: seenAt, CloudWatchMetrics }, cluster, instanceId, ...values });
  };
  const percent = (share: number): number => Math.round(share * 10_000) / 100;
  const host = line(['cluster'], METRICS.host, {
    CpuPressure: percent(pressure.cpu),
    MemoryPressure: percent(pressure.memory),
    IoPressure: percent(pressure.io),
    Tasks: Object.keys(tasks).length,
  });
  const used = Object.entries(tasks).filter(([, { usage }]) => usage !== undefined);
  return [
    host,
    ...used.slice(0, MAX_TASKS).map(([taskId, { family, usage, throttledMs }]) =>
      line(family === undefined ? ['cluster'] : ['cluster', 'family'], METRICS.task, {
        taskId,
        ...(family === undefined ? {} : { family }),
        CpuP50: usage?.cpuP50,
        CpuP95: usage?.cpuP95,
        MemoryP95: usage?.memoryP95MiB,
        Throttled: throttledMs,
      }),
    ),
  ];
}

/** Sends usage and pressure to CloudWatch through a log stream of the host's own, once a minute and only when changed. */
export class UsageMetrics {
  readonly #service: AwsService;
  readonly #logGroup: string;
  readonly #credentials: () => Promise<Credentials>;
  #sent = '';
  #sentAtMs = -PERIOD_MS;
  #sending = false;

  constructor({ logGroup, region, endpoint }: MetricsTarget, credentials: () => Promise<Credentials>) {
    this.#logGroup = logGroup;
    this.#credentials = credentials;
    this.#service = {
      service: 'logs',
      region,
      endpoint,
      targetPrefix: 'Logs_20140328',
      contentType: 'application/x-amz-json-1.1',
    };
  }

  /** Rejects when CloudWatch cannot be reached or refuses; the next call tries again. */
  async send(report: HostReport): Promise<void> {
    const content = JSON.stringify([report.pressure, report.tasks]);
    const isDue = report.seenAt - this.#sentAtMs >= PERIOD_MS && content !== this.#sent;
    if (this.#sending || !isDue) return;
    this.#sending = true;
    try {
      await this.#put(report);
      this.#sent = content;
      this.#sentAtMs = report.seenAt;
    } finally {
      this.#sending = false;
    }
  }

  async #put(report: HostReport): Promise<void> {
    const stream = { logGroupName: this.#logGroup, logStreamName: report.instanceId };
    const logEvents = metricLines(report).map((message) => ({ timestamp: report.seenAt, message }));
    const call = async (operation: string, input: object): Promise<void> =>
      signedCall(this.#service, operation, input, await this.#credentials());
    try {
      await call('PutLogEvents', { ...stream, logEvents });
    } catch (error) {
      // The stream is made when it is missed: a host would else ask for it at every start.
      if (!(error instanceof AwsRefusal) || error.code !== 'ResourceNotFoundException') throw error;
      await call('CreateLogStream', stream);
      await call('PutLogEvents', { ...stream, logEvents });
    }
  }
}
