import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { Berth } from './support/berth.ts';
import { ecsTasks, leavesNoHost, putBurst } from './support/burst.ts';
import { Collector } from './support/collector.ts';
import { registerHello } from './support/tasks.ts';
import { until } from './support/until.ts';

const TASKS = 200;
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

const killWorkers = (name: string) =>
  until(
    `a worker of ${name} was there to kill`,
    30_000,
    () => kill(processesWith(`AWS_LAMBDA_FUNCTION_NAME=berth-${name}`)) > 0,
  );

/** What is killed, one after the other, and how many tasks have succeeded by then: everything while work is under way. */
const accidents: readonly { readonly name: string; readonly after: number; kill(): Promise<void> }[] = [
  { name: 'the workers of accept', after: 0, kill: () => killWorkers('accept') },
  { name: 'the workers of provision', after: 0, kill: () => killWorkers('provision') },
  { name: 'the workers of schedule', after: 10, kill: () => killWorkers('schedule') },
  {
    name: 'the host agents',
    after: 30,
    kill: () =>
      until('an agent was there to kill', 30_000, () => kill(processesWith('agent-layer/index.cjs')) > 0),
  },
  { name: 'the workers of observe', after: 50, kill: () => killWorkers('observe') },
  { name: 'the workers of publish', after: 70, kill: () => killWorkers('publish') },
  {
    name: 'the whole embedded AWS',
    after: 90,
    kill: async () => {
      await berth.kill9();
      await berth.start();
    },
  },
  { name: 'the workers of reconcile', after: 120, kill: () => killWorkers('reconcile') },
];

test(`kill -9 of every worker, the agents and the whole embedded AWS amid ${TASKS} tasks, each asked for twice: nothing lost, nothing doubled (BERTH_SEED=${seed})`, async () => {
  await berth.start();
  await registerHello(berth);
  const collector = new Collector(berth, 'crash');
  await collector.create();
  const ids = await putBurst(berth, 'crash', TASKS, seed, {
    containers: [{ name: 'main', command: ['sleep', '0.2'], cpu: 128, memory: 32 }],
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
  for (const { name, after, kill: accident } of accidents) {
    await succeeded(after, 120_000);
    expect(collector.tasks('Task Succeeded').size, `${name} die in the middle`).toBeLessThan(TASKS);
    await accident();
  }
  await succeeded(TASKS, 240_000);
  expect([...collector.tasks('Task Succeeded')].sort()).toEqual([...ids].sort());
  const started = (await ecsTasks(berth)).map((task) => task.startedBy).sort();
  expect(new Set(started).size, 'no attempt was launched twice').toBe(started.length);
  expect(collector.tasks('Task Failed').size).toBe(0);
  await leavesNoHost(berth);
  await berth.stop();
  expect(processesWith(berth.dataDir), 'no process is left').toEqual([]);
}, 480_000);
