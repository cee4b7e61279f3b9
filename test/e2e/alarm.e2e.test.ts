import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { until } from './support/until.ts';

const berth = new Berth({ bootMs: 500, parameters: { PoolIdleHostSeconds: '2' } });

interface Status {
  readonly pools: readonly { readonly desiredHosts: number }[];
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

beforeAll(() => berth.start());
afterAll(() => berth.remove());

test('an alarm told in all three ways scales the pool up once, and its OK scales it down', async () => {
  const topic = 'arn:aws:sns:us-east-1:000000000000:berth-AlarmTopic';
  const scale = 'arn:aws:lambda:us-east-1:000000000000:function:berth-scale';
  await berth.aws(
    'cloudwatch',
    'put-metric-alarm',
    '--alarm-name',
    'shop-queue',
    '--namespace',
    'Shop',
    '--metric-name',
    'QueueDepth',
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
  // As a service would, the metric is put again and again.
  await until(
    'the pool wants one host and has it',
    60_000,
    async () => {
      await measure(500);
      const { pools, hosts } = await status();
      return pools[0]?.desiredHosts === 1 && hosts.some(({ state }) => state === 'READY');
    },
    1_000,
  );

  // EventBridge, SNS and the direct action told of the same change: it has counted once, and does not count later.
  await berth.operate({ operation: 'status', cluster: 'demo' });
  expect((await status()).pools[0]?.desiredHosts).toBe(1);

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
