import type { MetricProvider } from './cloudwatch/cloudwatch.ts';
import type { Measurement } from './cloudwatch/metricRecorder.ts';
import type { Sqs } from './sqs/engine.ts';

/** What AWS measures of every queue, as far as alarms here look at it. */
export const queueMetrics = (sqs: Pick<Sqs, 'queues'>): MetricProvider => ({
  measure: (nowMs) =>
    sqs.queues().flatMap(({ name, visible, inFlight, delayed, oldestSentAtMs = nowMs }) => {
      const measurement = (metric: string, value: number, unit = 'Count'): Measurement => ({
        namespace: 'AWS/SQS',
        name: metric,
        dimensions: { QueueName: name },
        unit,
        value,
        timestampMs: nowMs,
      });
      return [
        measurement('ApproximateNumberOfMessagesVisible', visible),
        measurement('ApproximateNumberOfMessagesNotVisible', inFlight),
        measurement('ApproximateNumberOfMessagesDelayed', delayed),
        measurement('ApproximateAgeOfOldestMessage', Math.floor((nowMs - oldestSentAtMs) / 1000), 'Seconds'),
      ];
    }),
});
