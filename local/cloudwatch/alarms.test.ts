import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sqliteState } from '../engine/state.ts';
import { virtualClock } from '../engine/testClock.ts';
import { testContext } from '../engine/testContext.ts';
import { depthAlarm, type TestCloudWatch, testCloudWatch } from './testCloudWatch.ts';

const TOPIC = 'arn:aws:sns:us-east-1:000000000000:alerts';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:scale';

const measure = ({ cloudwatch }: TestCloudWatch, value: number, over: { resolutionSeconds?: 1 } = {}): void =>
  cloudwatch.record([{ namespace: 'Shop', name: 'Depth', value, dimensions: { Queue: 'orders' }, ...over }]);

describe('an alarm', () => {
  it('rises as data arrive and falls at the end of a period', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm(depthAlarm);
    await test.context.clock.advance(5_000);
    measure(test, 11);
    await test.context.clock.advance(0);
    expect(test.changes()).toEqual(['depth:ALARM']);
    // The minute's maximum has not changed: the low value does not count before the next minute's end.
    measure(test, 0);
    await test.context.clock.advance(56_000);
    expect(test.changes()).toEqual(['depth:ALARM']);
    measure(test, 0);
    await test.context.clock.advance(58_999);
    expect(test.changes()).toEqual(['depth:ALARM']);
    await test.context.clock.advance(1_001);
    expect(test.changes()).toEqual(['depth:ALARM', 'depth:OK']);
  });

  it('is quick with a high-resolution metric', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, statistic: 'Average', periodSeconds: 10 });
    measure(test, 30, { resolutionSeconds: 1 });
    await test.context.clock.advance(0);
    expect(test.changes()).toEqual(['depth:ALARM']);
    await test.context.clock.advance(10_000);
    measure(test, 5, { resolutionSeconds: 1 });
    await test.context.clock.advance(11_000);
    expect(test.changes()).toEqual(['depth:ALARM', 'depth:OK']);
  });

  it('does not take the sum of half a minute for a low one', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, statistic: 'Sum', comparison: 'LessThanThreshold' });
    measure(test, 4);
    await test.context.clock.advance(30_000);
    expect(test.changes()).toEqual([]);
    measure(test, 4);
    await test.context.clock.advance(31_000);
    expect(test.changes()).toEqual(['depth:ALARM']);
  });

  it('needs M of the last N periods', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, evaluationPeriods: 3, datapointsToAlarm: 2 });
    for (const value of [20, 1, 1, 20, 1, 20]) {
      measure(test, value);
      await test.context.clock.advance(60_000);
    }
    await test.context.clock.advance(1_000);
    expect(test.changes()).toEqual(['depth:OK', 'depth:ALARM']);
    expect(test.cloudwatch.alarms()[0]?.status.reason).toBe(
      'Threshold Crossed: 2 out of the last 3 datapoints [20.0 (01/01/26 00:03:00), 20.0 (01/01/26 00:05:00)] were ' +
        'greater than the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition).',
    );
  });

  it.each([
    ['missing', ['depth:OK', 'depth:INSUFFICIENT_DATA']],
    ['ignore', ['depth:OK']],
    ['breaching', ['depth:OK', 'depth:ALARM']],
    ['notBreaching', ['depth:OK']],
  ] as const)('treats missing data as %s', async (treatMissingData, expected) => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, treatMissingData });
    measure(test, 1);
    await test.context.clock.advance(10 * 60_000);
    // A rule that fills in says so before the first data, too.
    expect(test.changes().slice(-expected.length)).toEqual(expected);
  });

  it('watches percentiles', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, statistic: 'p90' });
    for (let value = 1; value <= 11; value += 1) measure(test, value);
    await test.context.clock.advance(61_000);
    expect(test.changes()).toEqual(['depth:OK']);
    for (let n = 0; n < 5; n += 1) measure(test, 50);
    await test.context.clock.advance(0);
    expect(test.changes()).toEqual(['depth:OK', 'depth:ALARM']);
  });

  it('announces itself to the bus, a topic and a function in their real shapes', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, description: 'too deep', alarmActions: [TOPIC, FUNCTION] });
    measure(test, 11);
    await test.context.clock.advance(0);
    const time = '2026-01-01T00:00:00.000+0000';
    const state = {
      value: 'ALARM',
      reason:
        'Threshold Crossed: 1 out of the last 1 datapoints [11.0 (01/01/26 00:00:00)] was greater than the ' +
        'threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition).',
      reasonData: expect.any(String),
      timestamp: time,
    };
    const alarmData = {
      alarmName: 'depth',
      state,
      previousState: {
        value: 'INSUFFICIENT_DATA',
        reason: 'Unchecked: Initial alarm creation',
        timestamp: time,
      },
      configuration: {
        description: 'too deep',
        metrics: [
          {
            id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
            metricStat: {
              metric: { namespace: 'Shop', name: 'Depth', dimensions: { Queue: 'orders' } },
              period: 60,
              stat: 'Maximum',
            },
            returnData: true,
          },
        ],
      },
    };
    const alarmArn = 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:depth';
    expect(test.events).toEqual([
      {
        source: 'aws.cloudwatch',
        'detail-type': 'CloudWatch Alarm State Change',
        resources: [alarmArn],
        timeMs: test.context.clock.now(),
        detail: alarmData,
      },
    ]);
    const bodies = Object.fromEntries(test.delivered.map(({ arn, body }) => [arn, JSON.parse(body)]));
    expect(bodies[FUNCTION]).toEqual({
      source: 'aws.cloudwatch',
      alarmArn,
      accountId: '000000000000',
      time,
      region: 'us-east-1',
      alarmData,
    });
    expect(bodies[TOPIC]).toMatchObject({
      AlarmName: 'depth',
      AlarmDescription: 'too deep',
      AWSAccountId: '000000000000',
      NewStateValue: 'ALARM',
      OldStateValue: 'INSUFFICIENT_DATA',
      Region: 'US East (N. Virginia)',
      StateChangeTime: time,
      Trigger: {
        MetricName: 'Depth',
        Namespace: 'Shop',
        StatisticType: 'Statistic',
        Statistic: 'MAXIMUM',
        Dimensions: [{ value: 'orders', name: 'Queue' }],
        Period: 60,
        EvaluationPeriods: 1,
        ComparisonOperator: 'GreaterThanThreshold',
        Threshold: 10,
        TreatMissingData: 'missing',
      },
    });
    expect(
      JSON.parse(
        (alarmData.state.reasonData && (test.cloudwatch.alarms()[0]?.status.reasonData ?? '')) as string,
      ),
    ).toEqual({
      version: '1.0',
      queryDate: time,
      startDate: time,
      statistic: 'Maximum',
      period: 60,
      recentDatapoints: [11],
      threshold: 10,
      evaluatedDatapoints: [{ timestamp: time, sampleCount: 1, value: 11 }],
    });
  });

  it('runs no action while its actions are disabled, and is set by hand until the next evaluation', async () => {
    const test = testCloudWatch();
    test.cloudwatch.putAlarm({ ...depthAlarm, alarmActions: [TOPIC], okActions: [TOPIC] });
    await test.context.clock.advance(5_000);
    await test.call('DisableAlarmActions', { AlarmNames: ['depth'] });
    await test.call('SetAlarmState', { AlarmName: 'depth', StateValue: 'ALARM', StateReason: 'drill' });
    measure(test, 1);
    await test.context.clock.advance(0);
    expect([test.changes(), test.delivered]).toEqual([['depth:ALARM'], []]);
    await test.call('EnableAlarmActions', { AlarmNames: ['depth'] });
    await test.context.clock.advance(56_000);
    expect(test.changes()).toEqual(['depth:ALARM', 'depth:OK']);
    expect(test.delivered.map(({ arn }) => arn)).toEqual([TOPIC]);
    const { AlarmHistoryItems } = await test.call<{ AlarmHistoryItems: { HistoryItemType: string }[] }>(
      'DescribeAlarmHistory',
      { AlarmName: 'depth' },
    );
    expect(AlarmHistoryItems.map((item) => item.HistoryItemType)).toEqual([
      'Action',
      'StateUpdate',
      'ConfigurationUpdate',
      'StateUpdate',
      'ConfigurationUpdate',
      'ConfigurationUpdate',
    ]);
  });

  it('is described as it was put and keeps its state when put again', async () => {
    const test = testCloudWatch();
    const input = {
      AlarmName: 'depth',
      Namespace: 'Shop',
      MetricName: 'Depth',
      Dimensions: [{ Name: 'Queue', Value: 'orders' }],
      ExtendedStatistic: 'p95',
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 5,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      AlarmActions: [TOPIC],
    };
    await test.call('PutMetricAlarm', input);
    await test.context.clock.advance(61_000);
    await test.call('PutMetricAlarm', { ...input, Threshold: 6 });
    const { MetricAlarms } = await test.call<{ MetricAlarms: object[] }>('DescribeAlarms', {
      AlarmNamePrefix: 'de',
    });
    expect(MetricAlarms).toMatchObject([
      { ...input, Threshold: 6, StateValue: 'ALARM', ActionsEnabled: true },
    ]);
    await test.call('DeleteAlarms', { AlarmNames: ['depth'] });
    expect(await test.call('DescribeAlarms', {})).toEqual({ MetricAlarms: [], CompositeAlarms: [] });
  });

  it('is refused when it could not work', async () => {
    const test = testCloudWatch();
    const good = {
      AlarmName: 'a',
      Namespace: 'Shop',
      MetricName: 'Depth',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
    };
    for (const bad of [
      { Period: 15 },
      { EvaluationPeriods: 0 },
      { DatapointsToAlarm: 2 },
      { Statistic: undefined },
      { ComparisonOperator: 'GreaterThanUpperThreshold' },
      { AlarmActions: ['arn:aws:automate:us-east-1:ec2:stop'] },
      { Metrics: [{ Id: 'e1', Expression: 'm1/m2' }] },
      { Threshold: undefined },
    ]) {
      await expect(test.call('PutMetricAlarm', { ...good, ...bad })).rejects.toMatchObject({
        code: expect.stringMatching(/^(ValidationError|InvalidParameterValue)$/),
      });
    }
  });

  it('tries again until its action is delivered, even by the next process', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'berth-alarm-'));
    try {
      const restart = (seed: number) =>
        testContext(
          { state: sqliteState(join(dir, 'state.db')), clock: virtualClock(Date.UTC(2026, 0, 1)) },
          seed,
        );
      let tries = 0;
      const deaf = testCloudWatch({
        context: restart(1),
        deliverer: {
          async deliver() {
            tries += 1;
            throw new Error('nobody there');
          },
        },
      });
      deaf.cloudwatch.putAlarm({ ...depthAlarm, alarmActions: [TOPIC] });
      measure(deaf, 99);
      await deaf.context.clock.advance(3_500);
      expect(tries).toBe(3);
      const next = testCloudWatch({ context: restart(2) });
      await next.context.clock.advance(0);
      expect(next.delivered.map(({ arn }) => arn)).toEqual([TOPIC]);
      expect(next.cloudwatch.alarms()[0]?.status.value).toBe('ALARM');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('watches what a provider measures', async () => {
    let depth = 0;
    const test = testCloudWatch({
      providers: [
        {
          measure: () => [
            { namespace: 'Shop', name: 'Depth', value: depth, dimensions: { Queue: 'orders' } },
          ],
        },
      ],
    });
    test.cloudwatch.putAlarm(depthAlarm);
    await test.context.clock.advance(120_000);
    depth = 11;
    await test.context.clock.advance(15_000);
    expect(test.changes()).toEqual(['depth:OK', 'depth:ALARM']);
  });
});
