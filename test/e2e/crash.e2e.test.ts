import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { ecsTasks, putBurst } from './support/burst.ts';
import { Collector } from './support/collector.ts';
import { registerHello } from './support/tasks.ts';
import { until } from './support/until.ts';

const TASKS = 60;
const seed = Number(process.env.BERTH_SEED ?? Date.now() % 1_000_000);
const berth = new Berth({
  bootMs: 500,
  parameters: { PoolInstanceTypes: '["t3.small"]', PoolMaxHosts: '2', PoolIdleHostSeconds: '3' },
});

afterAll(() => berth.remove());

/** Pids of processes whose environment or command line names this text; our own only. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(text) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const kill = (pids: readonly number[]): number => {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
};

/** What is killed, one after the other, while tasks run. */
const accidents: Readonly<Record<string, () => Promise<void>>> = {
  'a host agent': async () => {
    await until('an agent was there to kill', 10_000, () => kill(processesWith('agent-layer/index.mjs')) > 0);
  },
  'the workers of the scheduler': async () => {
    await until(
      'a worker of the scheduler was there to kill',
      10_000,
      () => kill(processesWith('AWS_LAMBDA_FUNCTION_NAME=berth-schedule')) > 0,
    );
  },
  'the whole embedded AWS': async () => {
    await berth.kill9();
    await berth.start();
  },
};

test(`kill -9 of agents, workers and the whole embedded AWS amid ${TASKS} tasks: nothing lost, nothing doubled (BERTH_SEED=${seed})`, async () => {
  await berth.start();
  await registerHello(berth);
  const collector = new Collector(berth, 'crash');
  await collector.create();
  const ids = await putBurst(berth, 'crash', TASKS, seed, {
    containers: [{ name: 'main', command: ['sleep', '0.2'], cpu: 256, memory: 32 }],
  });
  const succeeded = async (count: number, boundMs: number): Promise<void> =>
    until(
      `${count} have succeeded`,
      boundMs,
      async () => {
        await collector.drain();
        return collector.tasks('Task Succeeded').size >= count;
      },
      250,
    );
  let before = 5;
  for (const [name, accident] of Object.entries(accidents)) {
    await succeeded(before, 120_000);
    expect(collector.tasks('Task Succeeded').size, `${name} dies in the middle`).toBeLessThan(TASKS);
    await accident();
    before += 5;
  }
  await succeeded(TASKS, 240_000);
  expect([...collector.tasks('Task Succeeded')].sort()).toEqual([...ids].sort());
  const started = (await ecsTasks(berth)).map((task) => task.startedBy).sort();
  expect(new Set(started).size, 'no attempt was launched twice').toBe(started.length);
  await until(
    'the cluster is back to no host',
    120_000,
    async () => {
      const { hosts } = await berth.operate<{ hosts: unknown[] }>({ operation: 'status', cluster: 'demo' });
      return hosts.length === 0;
    },
    500,
  );
  await berth.stop();
  expect(processesWith(berth.dataDir), 'no process is left').toEqual([]);
}, 480_000);
