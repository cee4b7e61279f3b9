import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { ecsTasks, leavesNoHost, putBurst } from './support/burst.ts';
import { Collector } from './support/collector.ts';
import { registerHello } from './support/tasks.ts';
import { until } from './support/until.ts';

const TASKS = 200;
const seed = Number(process.env.BERTH_SEED ?? Date.now() % 1_000_000);
const berth = new Berth({
  bootMs: 1_000,
  parameters: { PoolInstanceTypes: '["t3.small"]', PoolMaxHosts: '3', PoolIdleHostSeconds: '4' },
});

beforeAll(async () => {
  await berth.start();
  await registerHello(berth);
});
afterAll(() => berth.remove());

test(`200 events, each twice and in random order, on at most 3 small hosts: each runs exactly once (BERTH_SEED=${seed})`, async () => {
  const collector = new Collector(berth, 'burst');
  await collector.create();
  const ids = await putBurst(berth, `burst-${seed}`, TASKS, seed, {
    containers: [{ name: 'main', command: ['true'], cpu: 128, memory: 32 }],
  });
  let hostsAtMost = 0;
  await until(
    `all ${TASKS} have succeeded`,
    300_000,
    async () => {
      const { hosts } = await berth.operate<{ hosts: { state: string }[] }>({
        operation: 'status',
        cluster: 'demo',
      });
      hostsAtMost = Math.max(hostsAtMost, hosts.filter(({ state }) => state !== 'TERMINATING').length);
      await collector.drain();
      return collector.tasks('Task Succeeded').size >= TASKS;
    },
    500,
  );
  expect(hostsAtMost).toBeGreaterThan(0);
  expect(hostsAtMost).toBeLessThanOrEqual(3);
  for (const type of ['Task Accepted', 'Task Placed', 'Task Running', 'Task Succeeded']) {
    expect([...collector.tasks(type)].sort(), type).toEqual([...ids].sort());
  }
  expect(collector.tasks('Task Failed').size).toBe(0);

  const started = (await ecsTasks(berth)).map((task) => task.startedBy).sort();
  expect(started).toEqual(ids.map((id) => `${id}:1`).sort());

  const { pending } = await berth.operate<{ pending: { tasks: number } }>({
    operation: 'status',
    cluster: 'demo',
  });
  expect(pending.tasks).toBe(0);
  await leavesNoHost(berth);
}, 400_000);
