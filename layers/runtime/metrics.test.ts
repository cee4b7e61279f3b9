import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMetrics } from './metrics.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What was written, as CloudWatch reads it. Powertools writes to the global console in its development mode only. */
function recorded() {
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  const lines: unknown[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    lines.push(JSON.parse(line));
  });
  return { metrics: createMetrics({ service: 'berth' }), lines };
}

const emf = (dimensions: readonly string[], names: readonly string[]) =>
  expect.objectContaining({
    _aws: expect.objectContaining({
      CloudWatchMetrics: [
        expect.objectContaining({
          Namespace: 'Berth',
          Dimensions: [expect.arrayContaining([...dimensions])],
          Metrics: names.map((Name) => expect.objectContaining({ Name })),
        }),
      ],
    }),
  });

describe('metrics', () => {
  it('leave as one embedded line for each set of dimensions', () => {
    const { metrics, lines } = recorded();
    metrics.count('Launches', 1, { outcome: 'launched' });
    metrics.count('Launches', 1, { outcome: 'refused' });
    metrics.sample('Duration', 12, 'Milliseconds');
    expect(lines).toEqual([]);
    metrics.flush();
    expect(lines).toHaveLength(3);
    expect(lines).toEqual([
      emf(['service', 'outcome'], ['Launches']),
      emf(['service', 'outcome'], ['Launches']),
      emf(['service'], ['Duration']),
    ]);
    expect(lines[1]).toMatchObject({ service: 'berth', outcome: 'refused', Launches: 1 });
  });

  it('are written once', () => {
    const { metrics, lines } = recorded();
    metrics.count('Passes');
    metrics.flush();
    metrics.flush();
    expect(lines).toHaveLength(1);
  });

  it('keep every sample of a distribution', () => {
    const { metrics, lines } = recorded();
    for (const value of [1, 2, 3]) metrics.sample('Wait', value, 'Seconds', { cluster: 'demo' });
    metrics.flush();
    expect(lines).toEqual([expect.objectContaining({ Wait: [1, 2, 3] })]);
  });
});
