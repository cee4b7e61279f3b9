import { describe, expect, it } from 'vitest';
import { DEFAULT_BUDGET } from '../domain/capacity/disruption.ts';
import { declaredClusters } from './declaredClusters.ts';
import { readSettings, requireSettings } from './settings.ts';

const pool = {
  name: 'default',
  instanceTypes: ['c6i.*'],
  launchTemplate: 'lt-1',
  subnets: { b: 'subnet-b', a: 'subnet-a' },
};
const clusters = (value: unknown) =>
  declaredClusters(readSettings({ BERTH_CLUSTERS: JSON.stringify(value) }));

describe('settings', () => {
  it('have defaults for what may be left out', () => {
    expect(readSettings({})).toEqual({ service: 'berth', logLevel: 'INFO' });
    expect(readSettings({ BERTH_LOG_LEVEL: 'debug' }).logLevel).toBe('DEBUG');
  });

  it('name every variable that is missing, and what it is for', () => {
    const settings = readSettings({ BERTH_TABLE: 'berth' });
    expect(requireSettings(settings, ['tableName'])).toEqual({ tableName: 'berth' });
    expect(() => requireSettings(settings, ['tableName', 'busName', 'wakeQueueUrl'])).toThrow(
      'BERTH_BUS is not set: set it to the name of the EventBridge bus; BERTH_WAKE_QUEUE_URL is not set: set it to the URL of the FIFO queue that wakes the scheduler.',
    );
  });

  it('take an empty variable for a missing one', () => {
    expect(() => requireSettings(readSettings({ BERTH_TABLE: '' }), ['tableName'])).toThrow(
      'BERTH_TABLE is not set',
    );
  });

  it('declare clusters and pools with their defaults', () => {
    expect(clusters([{ name: 'demo', pools: [pool] }])).toEqual([
      {
        name: 'demo',
        cells: 1,
        paused: false,
        pools: [
          {
            ...pool,
            cluster: 'demo',
            architecture: 'x86_64',
            lifecycles: ['on-demand'],
            zones: ['a', 'b'],
            minHosts: 0,
            maxHosts: 10,
            desiredHosts: 0,
            headroom: {},
            maxHostVcpus: 64,
            idleHostMs: 120_000,
            alarmStep: 1,
          },
        ],
      },
    ]);
  });

  it('declare what a pool is told about money', () => {
    const money = {
      hostUsdPerHour: 0.01,
      minimums: [{ days: ['Mon', 'Fri'], from: '08:00', to: '18:30', hosts: 2 }],
      disruption: { maxHostsPerHour: 4, windows: [{ from: '22:00', to: '06:00' }], settleSeconds: 5 },
    };
    const [cluster] = clusters([{ name: 'demo', pools: [{ ...pool, ...money }] }]);
    expect(cluster?.pools[0]).toMatchObject({
      hostUsdPerHour: 0.01,
      minimums: [{ days: [1, 5], fromMinute: 480, toMinute: 1110, hosts: 2 }],
      disruption: {
        ...DEFAULT_BUDGET,
        maxHostsPerHour: 4,
        settleMs: 5_000,
        windows: [{ fromMinute: 1320, toMinute: 360 }],
      },
    });
  });

  it.each([
    ['BERTH_LOG_LEVEL is "loud"', { BERTH_LOG_LEVEL: 'loud' }],
    ['BERTH_CLUSTERS is not JSON', { BERTH_CLUSTERS: '[{' }],
    [
      '0.pools.0.launchTemplate',
      { BERTH_CLUSTERS: JSON.stringify([{ name: 'demo', pools: [{ ...pool, launchTemplate: '' }] }]) },
    ],
    [
      '0.pools.0.minHost',
      { BERTH_CLUSTERS: JSON.stringify([{ name: 'demo', pools: [{ ...pool, minHost: 1 }] }]) },
    ],
    [
      '0.pools.0.disruption.maxShare',
      {
        BERTH_CLUSTERS: JSON.stringify([{ name: 'demo', pools: [{ ...pool, disruption: { maxShare: 2 } }] }]),
      },
    ],
    [
      'names no subnet',
      { BERTH_CLUSTERS: JSON.stringify([{ name: 'demo', pools: [{ ...pool, subnets: {} }] }]) },
    ],
    [
      'minHosts above maxHosts',
      { BERTH_CLUSTERS: JSON.stringify([{ name: 'demo', pools: [{ ...pool, minHosts: 3, maxHosts: 2 }] }]) },
    ],
  ])('refuse what is wrong: %s', (message, environment) => {
    const read = () => declaredClusters(readSettings(environment));
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ name: 'SettingsError' }));
  });
});
