import type { Measurement } from './metricRecorder.ts';

interface Directive {
  readonly Namespace?: unknown;
  readonly Dimensions?: unknown;
  readonly Metrics?: unknown;
}

const MAX_VALUES = 100;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function valuesOf(value: unknown): number[] {
  const values = Array.isArray(value) ? value.slice(0, MAX_VALUES) : [value];
  return values.filter((each): each is number => typeof each === 'number' && Number.isFinite(each));
}

function* measurementsOf(document: Record<string, unknown>, directive: Directive, timestampMs?: number) {
  const { Namespace: namespace, Metrics: metrics, Dimensions: sets } = directive;
  if (typeof namespace !== 'string' || !Array.isArray(metrics)) return;
  const dimensionSets = Array.isArray(sets) && sets.length > 0 ? sets : [[]];
  for (const names of dimensionSets) {
    if (!Array.isArray(names)) continue;
    const dimensions = Object.fromEntries(
      names.map((name) => [String(name), String(document[String(name)])]),
    );
    for (const metric of metrics) {
      if (!isRecord(metric) || typeof metric.Name !== 'string') continue;
      for (const value of valuesOf(document[metric.Name])) {
        const measurement: Measurement = {
          namespace,
          name: metric.Name,
          value,
          dimensions,
          ...(typeof metric.Unit === 'string' ? { unit: metric.Unit } : {}),
          ...(timestampMs === undefined ? {} : { timestampMs }),
          ...(metric.StorageResolution === 1 ? { resolutionSeconds: 1 } : {}),
        };
        yield measurement;
      }
    }
  }
}

/**
 * The metrics that a log line in CloudWatch's embedded metric format carries; none when the line is anything else.
 * Source: "Specification: Embedded metric format" in the CloudWatch user guide.
 */
export function embeddedMetrics(message: string): readonly Measurement[] {
  // Most lines are not: do not parse them.
  if (!message.includes('"CloudWatchMetrics"')) return [];
  // The console of a Lambda function writes the time, the request and the level in front.
  const text = message.slice(message.indexOf('{'));
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [];
  }
  if (!isRecord(document) || !isRecord(document._aws)) return [];
  const { CloudWatchMetrics: directives, Timestamp: timestamp } = document._aws;
  if (!Array.isArray(directives)) return [];
  const timestampMs = typeof timestamp === 'number' ? timestamp : undefined;
  const lines = document;
  return directives
    .filter(isRecord)
    .flatMap((directive) => [...measurementsOf(lines, directive, timestampMs)]);
}
