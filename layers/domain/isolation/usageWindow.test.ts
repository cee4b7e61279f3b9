import { expect, test } from 'vitest';
import { type UsagePoint, usageOf, withPoint } from './usageWindow.ts';

test('percentiles are by nearest rank over the last thirty points', () => {
  let window: readonly UsagePoint[] = [];
  for (let index = 1; index <= 50; index += 1) {
    window = withPoint(window, { cpus: index / 10, memoryBytes: index * 2 ** 20 });
  }
  // Points 21..50 are left: the 15th is 35, the 29th 49.
  expect(usageOf(window)).toEqual({ cpuP50: 3.5, cpuP95: 4.9, memoryP95MiB: 49 });
});

test('noise below two digits changes nothing', () => {
  const still = usageOf([{ cpus: 0.1234, memoryBytes: 5 * 2 ** 20 + 1000 }]);
  expect(usageOf([{ cpus: 0.1211, memoryBytes: 5 * 2 ** 20 - 1000 }])).toEqual(still);
  expect(usageOf([])).toEqual({ cpuP50: 0, cpuP95: 0, memoryP95MiB: 0 });
});
