import { expect, test } from 'vitest';
import { calm } from '../../local/sim/faultRates.ts';
import { usualSeed } from '../../local/sim/seedRun.ts';
import { searchSeeds, type Tally } from './seedSearch.ts';

const options = { ...usualSeed, tasks: 2, hosts: 1, rates: calm };
const quiet = { keepGoing: false, options, onSeed: () => {}, signal: new AbortController().signal };

test('every seed runs once, whatever the number of workers', async () => {
  const seen: Tally[] = [];
  const tally = await searchSeeds({
    ...quiet,
    first: 7,
    count: 9,
    jobs: 2,
    onSeed: (each) => seen.push(each),
  });
  expect(tally).toMatchObject({ first: 7, done: 9, failures: [] });
  expect(seen.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(tally.points).toBeGreaterThan(0);
});

test('an interrupted search ends the seeds under way, and no other begins', async () => {
  const stopping = new AbortController();
  const tally = await searchSeeds({
    ...quiet,
    first: 1,
    count: 1_000,
    jobs: 2,
    signal: stopping.signal,
    onSeed: ({ done }) => done === 3 && stopping.abort(),
  });
  expect(tally.done).toBeGreaterThanOrEqual(3);
  expect(tally.done).toBeLessThanOrEqual(4);
});

test('a worker that comes to grief is told of by its seed', async () => {
  const broken = { ...options, rates: undefined as unknown as typeof calm };
  await expect(searchSeeds({ ...quiet, first: 4, count: 1, jobs: 1, options: broken })).rejects.toThrow(
    /^Seed 4 ended its worker: /,
  );
});
