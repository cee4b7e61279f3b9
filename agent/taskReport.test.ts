import { expect, it } from 'vitest';
import type { TaskReport } from '../layers/domain/isolation/hostReport.ts';
import { usageOfAll } from './taskReport.ts';

const report = (cpuP95?: number): TaskReport => ({
  applied: true,
  inTime: true,
  refused: [],
  failures: [],
  ...(cpuP95 === undefined ? {} : { usage: { cpuP50: 0, cpuP95, memoryP95MiB: 10 } }),
  oomKills: 0,
  pidsHits: 0,
  throttledMs: 0,
});

it('adds up what tasks used, those that were looked at, to two digits', () => {
  expect(usageOfAll([])).toEqual({});
  expect(usageOfAll([report()])).toEqual({});
  expect(usageOfAll([report(0.25), report(), report(1.04)])).toEqual({ usage: { cpuP95: 1.3 } });
});
