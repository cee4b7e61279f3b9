import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedMetrics } from './embeddedMetrics.ts';
import { addSet, addValue, emptyAggregate, merge, statisticOf } from './statistics.ts';
import { testCloudWatch } from './testCloudWatch.ts';

interface Statistics {
  Datapoints: {
    Timestamp: Date;
    Sum?: number;
    Average?: number;
    ExtendedStatistics?: Record<string, number>;
  }[];
}
interface Data {
  MetricDataResults: { Id: string; Timestamps: Date[]; Values: number[] }[];
}

const put = (MetricData: object[]) => ({ Namespace: 'Shop', MetricData });

describe('metric data', () => {
  it('are aggregated by period, whatever form they came in', async () => {
    const { call, context } = testCloudWatch();
    const startMs = context.clock.now();
    await call('PutMetricData', put([{ MetricName: 'Depth', Value: 4, Unit: 'Count' }]));
    await context.clock.advance(60_000);
    await call(
      'PutMetricData',
      put([
        { MetricName: 'Depth', Values: [1, 2], Counts: [3, 1], Unit: 'Count' },
        {
          MetricName: 'Depth',
          StatisticValues: { SampleCount: 2, Sum: 10, Minimum: 5, Maximum: 5 },
          Unit: 'Count',
        },
      ]),
    );
    const query = {
      Namespace: 'Shop',
      MetricName: 'Depth',
      StartTime: new Date(startMs),
      EndTime: new Date(startMs + 120_000),
      Period: 60,
      Statistics: ['SampleCount', 'Sum', 'Average', 'Minimum', 'Maximum'],
      ExtendedStatistics: ['p50'],
    };
    const { Datapoints } = await call<Statistics>('GetMetricStatistics', query);
    expect(Datapoints).toEqual([
      {
        Timestamp: new Date(startMs),
        Unit: 'Count',
        SampleCount: 1,
        Sum: 4,
        Average: 4,
        Minimum: 4,
        Maximum: 4,
        ExtendedStatistics: { p50: 4 },
      },
      {
        Timestamp: new Date(startMs + 60_000),
        Unit: 'Count',
        SampleCount: 6,
        Sum: 15,
        Average: 2.5,
        Minimum: 1,
        Maximum: 5,
        ExtendedStatistics: { p50: 1 },
      },
    ]);
    const data = await call<Data>('GetMetricData', {
      StartTime: query.StartTime,
      EndTime: query.EndTime,
      MetricDataQueries: [
        {
          Id: 'm1',
          MetricStat: { Metric: { Namespace: 'Shop', MetricName: 'Depth' }, Period: 60, Stat: 'Sum' },
        },
      ],
    });
    expect(data.MetricDataResults).toMatchObject([{ Id: 'm1', Values: [15, 4] }]);
  });

  it('keep dimensions and units apart and are listed by them', async () => {
    const { call, context } = testCloudWatch();
    const at = context.clock.now();
    const queue = (Value: string) => [{ Name: 'Queue', Value }];
    await call(
      'PutMetricData',
      put([
        { MetricName: 'Depth', Value: 1, Dimensions: queue('a') },
        { MetricName: 'Depth', Value: 2, Dimensions: queue('b') },
        { MetricName: 'Depth', Value: 8, Dimensions: queue('b'), Unit: 'Bytes' },
      ]),
    );
    const sum = async (over: object): Promise<number | undefined> => {
      const input = {
        Namespace: 'Shop',
        MetricName: 'Depth',
        StartTime: new Date(at),
        EndTime: new Date(at + 60_000),
        Period: 60,
        Statistics: ['Sum'],
        ...over,
      };
      return (await call<Statistics>('GetMetricStatistics', input)).Datapoints[0]?.Sum;
    };
    expect(await sum({ Dimensions: queue('a') })).toBe(1);
    expect(await sum({ Dimensions: queue('b') })).toBe(10);
    expect(await sum({ Dimensions: queue('b'), Unit: 'Bytes' })).toBe(8);
    expect(await sum({})).toBeUndefined();
    const { Metrics } = await call<{ Metrics: object[] }>('ListMetrics', { Dimensions: queue('b') });
    expect(Metrics).toEqual([{ Namespace: 'Shop', MetricName: 'Depth', Dimensions: queue('b') }]);
  });

  it('are kept for three hours', async () => {
    const { call, context } = testCloudWatch();
    await call('PutMetricData', put([{ MetricName: 'Depth', Value: 1 }]));
    const input = {
      Namespace: 'Shop',
      MetricName: 'Depth',
      StartTime: new Date(context.clock.now()),
      EndTime: new Date(context.clock.now() + 60_000),
      Period: 60,
      Statistics: ['Sum'],
    };
    await context.clock.advance(3 * 3_600_000 + 60_000);
    await call('PutMetricData', put([{ MetricName: 'Depth', Value: 1 }]));
    expect((await call<Statistics>('GetMetricStatistics', input)).Datapoints).toEqual([]);
  });

  it('are refused when the service would', async () => {
    const { call } = testCloudWatch();
    const bad: [object, string][] = [
      [{ Namespace: 'AWS/EC2', MetricData: [{ MetricName: 'x', Value: 1 }] }, 'InvalidParameterValue'],
      [{ MetricData: [] }, 'MissingParameter'],
      [put([{ Value: 1 }]), 'MissingParameter'],
      [put([{ MetricName: 'x' }]), 'InvalidParameterCombination'],
      [put([{ MetricName: 'x', Value: Number.NaN }]), 'InvalidParameterValue'],
      [put([{ MetricName: 'x', Values: [1], Counts: [1, 2] }]), 'InvalidParameterValue'],
      [put([{ MetricName: 'x', Value: 1, Timestamp: new Date(0) }]), 'InvalidParameterValue'],
    ];
    for (const [input, code] of bad)
      await expect(call('PutMetricData', input)).rejects.toMatchObject({ code });
    const expression = { Id: 'e1', Expression: 'SUM(METRICS())' };
    const range = { StartTime: new Date(0), EndTime: new Date(1) };
    await expect(call('GetMetricData', { ...range, MetricDataQueries: [expression] })).rejects.toMatchObject({
      code: 'ValidationError',
    });
  });
});

describe('statistics', () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 300 });

  it('are the same in one bucket as merged from two', () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const [a, b, both] = [emptyAggregate(), emptyAggregate(), emptyAggregate()];
        for (const value of left) addValue(a, value, 1);
        for (const value of right) addValue(b, value, 1);
        for (const value of [...left, ...right]) addValue(both, value, 1);
        merge(a, b);
        for (const name of ['Sum', 'Minimum', 'Maximum', 'SampleCount', 'p0', 'p50', 'p99.9', 'p100']) {
          expect(statisticOf(name)(a)).toBe(statisticOf(name)(both));
        }
      }),
    );
  });

  it('give the percentile that a sorted list gives', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percent) => {
        const aggregate = emptyAggregate();
        for (const value of list) addValue(aggregate, value, 1);
        const sorted = [...list].sort((left, right) => left - right);
        const expected = sorted[Math.ceil((percent / 100) * list.length) - 1];
        expect(statisticOf(`p${percent}`)(aggregate)).toBe(expected);
      }),
    );
  });

  it('know no percentile of a statistic set with a spread', () => {
    const aggregate = emptyAggregate();
    addValue(aggregate, 1, 1);
    addSet(aggregate, { count: 2, sum: 3, minimum: 1, maximum: 2 });
    expect(statisticOf('p50')(aggregate)).toBeUndefined();
    expect(statisticOf('Average')(aggregate)).toBe(4 / 3);
  });
});

describe('the embedded metric format', () => {
  const line = (over: object = {}) =>
    JSON.stringify({
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Berth',
            Dimensions: [['service'], ['service', 'cluster']],
            Metrics: [
              { Name: 'Placed', Unit: 'Count' },
              { Name: 'Wait', Unit: 'Milliseconds', StorageResolution: 1 },
            ],
          },
        ],
      },
      service: 'schedule',
      cluster: 'main',
      Placed: 3,
      Wait: [10, 20],
      ...over,
    });

  it('gives every metric under every set of dimensions', () => {
    const found = embeddedMetrics(line());
    expect(found).toHaveLength(6);
    expect(found[0]).toEqual({
      namespace: 'Berth',
      name: 'Placed',
      value: 3,
      unit: 'Count',
      dimensions: { service: 'schedule' },
      timestampMs: 1_700_000_000_000,
    });
    expect(found.at(-1)).toMatchObject({
      name: 'Wait',
      value: 20,
      resolutionSeconds: 1,
      dimensions: { service: 'schedule', cluster: 'main' },
    });
  });

  it('is found behind what the console writes in front of it', () => {
    expect(embeddedMetrics(`2026-01-01T00:00:00.000Z\tid\tINFO\t${line()}\n`)).toHaveLength(6);
  });

  it.each([
    ['text'],
    ['{"a":1}'],
    ['{"_aws":{"CloudWatchMetrics":1}}'],
    ['{"CloudWatchMetrics"'],
    [line({ Placed: 'many', Wait: null })],
  ])('gives nothing for %s', (message) => expect(embeddedMetrics(message)).toEqual([]));
});
