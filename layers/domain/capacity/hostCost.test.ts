import { expect, test } from 'vitest';
import { hostCost } from './hostCost.ts';

const host = { usdPerHour: 0.36, launchedAt: 1_000 };

test('a host costs its price by the second', () => {
  expect(hostCost(host, 1_000 + 3_600_000)).toEqual({ billedSeconds: 3600, usd: 0.36 });
  expect(hostCost(host, 1_000 + 99_001)).toEqual({ billedSeconds: 100, usd: 0.01 });
});

test('a host costs a minute at least, even one that ended before its purchase was noted', () => {
  expect(hostCost(host, 11_000)).toEqual({ billedSeconds: 60, usd: 0.006 });
  expect(hostCost(host, 0)).toEqual({ billedSeconds: 60, usd: 0.006 });
});

test('cents of cents are kept', () => {
  expect(hostCost({ usdPerHour: 0.0042, launchedAt: 0 }, 61_000).usd).toBe(0.000071);
});
