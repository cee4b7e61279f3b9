import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { instanceTypes } from '../ec2/catalogue.ts';
import { calm } from './faultRates.ts';
import { simulate } from './simulation.ts';
import { planOfWorkload, WorkloadError } from './workload.ts';
import { reportOf } from './workloadReport.ts';

const types = instanceTypes().filter(({ name, vcpus }) => name.startsWith('m6i.') && vcpus <= 16);
const plan = (...lines: readonly (object | string)[]) =>
  planOfWorkload(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'), {
    types,
    maxHosts: 20,
  });
const small = { at: 0, cpu: 256, memory: 512, seconds: 10 };

it('runs the example, and says how long it waited and what it cost', async () => {
  const text = readFileSync(new URL('../../docs/examples/workload.jsonl', import.meta.url), 'utf8');
  const workload = planOfWorkload(text, { types, maxHosts: 20 });
  const result = await simulate({ seed: 1, plan: workload, rates: calm });
  expect(result.violations).toEqual([]);
  const { tasks, ends, wait, hosts, usd } = reportOf(workload, result);
  expect({ tasks, ends }).toEqual({ tasks: 58, ends: { SUCCEEDED: 56, FAILED: 2 } });
  // The first has to wait for a host to boot, later ones start on those that there are.
  expect(wait?.p50).toBeLessThan(31);
  expect(wait?.max).toBeGreaterThanOrEqual(30);
  expect(hosts.peak).toBeGreaterThan(1);
  expect(hosts.peak).toBeLessThanOrEqual(hosts.bought);
  // 40 x 512 units for two minutes, the large one for five and the three for ten, on m6i: a tenth of a dollar or two.
  expect(usd).toBeGreaterThan(0.05);
  expect(usd).toBeLessThan(1);
});

it('ends tasks as the file says', async () => {
  const workload = plan(
    small,
    { ...small, outcome: 'failure', attempts: 2 },
    { ...small, outcome: 'outOfMemory', attempts: 3 },
  );
  const { ends } = await simulate({ seed: 1, plan: workload, rates: calm });
  expect(Object.values(ends).sort()).toEqual(['FAILED 1 1', 'FAILED 2 137', 'SUCCEEDED 0 0']);
});

it('takes times of the day, counted from the earliest', () => {
  const at = (time: string) => ({ ...small, at: time });
  const { requests } = plan(at('2026-11-24T10:00:30Z'), '', at('2026-11-24T10:00:00Z'));
  expect(requests.map(({ atMs }) => atMs)).toEqual([30_000, 0]);
});

it.each([
  ['{"at": 0', /^line 2: must be one JSON object/],
  ['[]', /^line 2: The detail must be an object with at, cpu, memory and seconds; it is a list of 0/],
  [
    { ...small, cpu: '256' },
    /^line 2: cpu must be a whole number from 1 to 1000000: CPU units, 1024 a vCPU; it is "256"/,
  ],
  [{ at: 1, cpu: 1, memory: 4 }, /^line 2: seconds is required/],
  [{ ...small, prio: 3 }, /^line 2: There is no field prio. Did you mean priority\?/],
  [{ ...small, at: 'yesterday' }, /^line 2: at must be seconds or a time\. Write a time as/],
  [{ ...small, at: '2026-11-24T10:00:30Z' }, /^line 2: at has to be written as in line 1, 0\./],
  [{ ...small, cpu: 200_000 }, /^line 2: no host that may be bought offers 200000 CPU units and 512 MiB/],
])('refuses %j by line and rule', (line, message) => {
  expect(() => plan(small, line)).toThrow(WorkloadError);
  expect(() => plan(small, line)).toThrow(message);
});

it('refuses a file without a line', () => {
  expect(() => plan('', ' ')).toThrow(/nothing to run/);
});
