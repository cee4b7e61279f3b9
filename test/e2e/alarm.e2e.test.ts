import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { until } from './support/until.ts';

const berth = new Berth({ bootMs: 500, parameters: { PoolIdleHostSeconds: '2' } });

interface Status {
  readonly pools: readonly {
    readonly desiredHosts: number;
    readonly alarms: Readonly<Record<string, { readonly state: string; readonly hosts: number }>>;
  }[];
  readonly hosts: readonly { readonly state: string }[];
}

const status = () => berth.operate<Status>({ operation: 'status', cluster: 'demo' });
const measure = (value: number) =>
  berth.aws(
    'cloudwatch',
    'put-metric-data',
    '--namespace',
    'Shop',
    '--metric-data',
    JSON.stringify([
      {
        MetricName: 'QueueDepth',
        Value: value,
        Dimensions: [{ Name: 'ClusterName', Value: 'demo' }],
        StorageResolution: 1,
      },
    ]),
  );

const putAlarm = (name: string, metric: string) => {
  const topic = 'arn:aws:sns:us-east-1:000000000000:berth-AlarmTopic';
  const scale = 'arn:aws:lambda:us-east-1:000000000000:function:berth-scale';
  return berth.aws(
    'cloudwatch',
    'put-metric-alarm',
    '--alarm-name',
    name,
    '--namespace',
    'Shop',
    '--metric-name',
    metric,
    '--dimensions',
    'Name=ClusterName,Value=demo',
    '--statistic',
    'Maximum',
    '--period',
    '10',
    '--evaluation-periods',
    '1',
    '--threshold',
    '100',
    '--comparison-operator',
    'GreaterThanThreshold',
    '--treat-missing-data',
    'ignore',
    '--alarm-actions',
    topic,
    scale,
    '--ok-actions',
    topic,
    scale,
  );
};

beforeAll(() => berth.start());
afterAll(() => berth.remove());

test('an alarm told in all three ways scales the pool up once, and its OK scales it down', async () => {
  await putAlarm('shop-queue', 'QueueDepth');
  await measure(500);
  await until('the pool wants one host and has it', 60_000, async () => {
    const { pools, hosts } = await status();
    return pools[0]?.desiredHosts === 1 && hosts.some(({ state }) => state === 'READY');
  });

  await until('the host tells CloudWatch of its pressure', 30_000, async () => {
    const { Datapoints } = await berth.aws<{ Datapoints: unknown[] }>(
      'cloudwatch',
      'get-metric-statistics',
      '--namespace',
      'Berth/Hosts',
      '--metric-name',
      'CpuPressure',
      '--dimensions',
      'Name=cluster,Value=demo',
      '--start-time',
      new Date(Date.now() - 600_000).toISOString(),
      '--end-time',
      new Date(Date.now() + 60_000).toISOString(),
      '--period',
      '60',
      '--statistics',
      'Maximum',
    );
    return Datapoints.length > 0;
  });

  // EventBridge, SNS and the direct action have told of the same change: it has counted once. Neither does an alarm count
  // that starts its life as OK.
  await berth.aws(
    'cloudwatch',
    'set-alarm-state',
    '--alarm-name',
    'berth-OldestPendingAlarm',
    '--state-value',
    'ALARM',
    '--state-reason',
    'as if a task had waited',
  );
  await putAlarm('shop-latency', 'Latency');
  await berth.aws(
    'cloudwatch',
    'set-alarm-state',
    '--alarm-name',
    'shop-latency',
    '--state-value',
    'OK',
    '--state-reason',
    'all is well',
  );
  await until('the alarm that is OK is on record', 30_000, async () => {
    const { pools } = await status();
    return pools[0]?.alarms['shop-latency']?.state === 'OK';
  });
  const [pool] = (await status()).pools;
  expect(pool).toMatchObject({ desiredHosts: 1, alarms: { 'shop-queue': { state: 'ALARM', hosts: 1 } } });

  // Put again and again, as a service would: the period that still holds the 500 cannot bring the alarm down.
  await until(
    'the alarm is OK and its host given back',
    150_000,
    async () => {
      await measure(1);
      const { pools, hosts } = await status();
      return pools[0]?.desiredHosts === 0 && hosts.length === 0;
    },
    1_000,
  );
}, 240_000);
