import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { controllerDirectory, parseCgroupMounts } from '../cgroupMounts.ts';
import { flatKeyed } from '../taskSample.ts';
import { AgentUnderTest, eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import { burstEffect } from './burstEffect.ts';
import { writeLimitEffect } from './diskEffect.ts';
import { type EcsShape, EcsTask, makeGroup, type Request, removeGroup } from './ecsTask.ts';
import { effectsInGuest } from './effects.ts';
import { egressEffect } from './egressEffect.ts';
import { ioWeightEffects } from './ioWeightEffects.ts';
import { memoryEffects } from './memoryEffects.ts';
import { partitionEffects } from './partitionEffects.ts';
import { softLimitEffect } from './softLimitEffect.ts';
import { StubEngine } from './stubEngine.ts';
import { swapEffects } from './swapEffects.ts';
import { pressureTriggers } from './triggers.ts';

/**
 * The agent against a real kernel: the same tests on cgroup v1, on v2, and on v2 below systemd. What a knob does is
 * read from the kernel's own counters, never from the clock: this runs under emulation too.
 */

const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
const v1 = mounts.version === 1;
const systemd = process.env.BERTH_SUITE_SYSTEMD === '1';
// On a machine in use, everything stays below a group of our own.
const root = systemd ? '' : `/berth-suite-${process.pid}`;
const parent = v1 ? `${root}/ecs` : `${root}/ecstasks.slice`;
const shape: EcsShape = { mounts, parent, systemd };
const KILLS = Number(process.env.BERTH_SUITE_KILLS ?? '200');
const REST_MS = Number(process.env.BERTH_SUITE_REST_MS ?? '60000');

/** A slice of systemd's takes several calls to come and to go. */
const VANISHING = systemd ? 15 : 100;

const engine = new StubEngine();
const socket = join(mkdtempSync(join(tmpdir(), 'berth-engine-')), 'docker.sock');
const agent = new AgentUnderTest(process.env.BERTH_AGENT_ENTRY ?? '', socket, parent);

before(async () => {
  if (systemd) execFileSync('systemctl', ['start', 'ecstasks.slice']);
  else makeGroup(mounts, parent);
  await engine.listen(socket);
  agent.start();
  await agent.ready();
});

after(async () => {
  await agent.end('SIGTERM');
  engine.close();
  if (!systemd) await removeGroup(mounts, root);
});

/** A task for the length of one test. */
async function withTask(
  profile: IsolationProfile,
  use: (task: EcsTask) => Promise<void>,
  create: Request = {},
): Promise<void> {
  const task = new EcsTask(shape, engine, profile);
  task.create(create);
  try {
    await use(task);
  } finally {
    await task.remove();
  }
}

const limits: IsolationProfile = {
  qos: 'burstable',
  cpu: { limitUnits: 256, burstUs: 10_000, weight: 250 },
  memory: { maxMiB: 48 },
  pids: { max: 40 },
};
const wanted: readonly (readonly [controller: string, file: string, value: string])[] = v1
  ? [
      ['cpu', 'cpu.cfs_quota_us', '25000'],
      ['cpu', 'cpu.cfs_burst_us', '10000'],
      ['cpu', 'cpu.shares', '2560'],
      ['memory', 'memory.limit_in_bytes', String(48 * 2 ** 20)],
      ['pids', 'pids.max', '40'],
    ]
  : [
      ['cpu', 'cpu.max', '25000 100000'],
      ['cpu', 'cpu.max.burst', '10000'],
      ['cpu', 'cpu.weight', '250'],
      ['memory', 'memory.max', String(48 * 2 ** 20)],
      ['pids', 'pids.max', '40'],
    ];
const assertStands = (task: EcsTask): void => {
  for (const [controller, file, value] of wanted) assert.equal(task.read(controller, file), value, file);
};
const counter = (task: EcsTask, controller: string, file: string, name: string, below = ''): number =>
  flatKeyed(readFileSync(task.file(controller, file, below), 'utf8'), name) ?? 0;
const cpuUsageUs = (task: EcsTask): number =>
  v1 ? Number(task.read('cpuacct', 'cpuacct.usage')) / 1000 : counter(task, 'cpu', 'cpu.stat', 'usage_usec');

describe(`cgroup v${mounts.version}${systemd ? ' below systemd' : ''}`, () => {
  test('values stand before the first process', () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      task.start('sleep 1000');
      await sleep(100);
      assertStands(task);
    }));

  test('a CPU limit throttles', () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      task.start('while true; do :; done');
      await eventually(() => assert.ok(counter(task, 'cpu', 'cpu.stat', 'nr_throttled') >= 5), 20_000);
    }));

  test('an idle task yields to one with weight', async () => {
    const cpu = { ...limits, cpu: { weight: 1_000 } };
    // The strong one goes first: a starved process needs a CPU even to die.
    await withTask({ qos: 'best-effort' }, (weak) =>
      withTask(cpu, async (strong) => {
        await eventually(() => assert.equal(weak.read('cpu', 'cpu.idle'), '1'), 2_000);
        for (const task of [strong, weak]) task.start('taskset 1 sh -c "while true; do :; done"');
        await eventually(() => assert.ok(cpuUsageUs(strong) > 1_000_000), 60_000);
        const [before, weakBefore] = [cpuUsageUs(strong), cpuUsageUs(weak)];
        await eventually(() => assert.ok(cpuUsageUs(strong) > before + 1_000_000), 60_000);
        const ratio = (cpuUsageUs(strong) - before) / Math.max(1, cpuUsageUs(weak) - weakBefore);
        assert.ok(ratio > 5, `the strong task got ${ratio.toFixed(1)} times the weak one's CPU`);
      }),
    );
  });

  test('a memory limit ends in a kill inside the task, and the agent tells of it', () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      task.start('sleep 2; tail /dev/zero; sleep 1000');
      const [file, name] = v1 ? ['memory.oom_control', 'oom_kill'] : ['memory.events', 'oom_kill'];
      const below = v1 ? `/${task.container}` : '';
      await eventually(() => assert.ok(counter(task, 'memory', file, name, below) >= 1), 60_000);
      await eventually(
        () => assert.match(agent.log, new RegExp(`oom-kill ${task.id} 1 killed for memory`)),
        15_000,
      );
    }));

  test('a fork bomb meets its limit', () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      task.start('sh -c "i=0; while [ \\$i -lt 60 ]; do sleep 1000 & i=\\$((i+1)); done"; exec sleep 1000');
      // Which of the two groups counts depends on the kernel.
      const hits = (): number =>
        ['', `/${task.container}`].reduce(
          (sum, below) => sum + counter(task, 'pids', 'pids.events', 'max', below),
          0,
        );
      await eventually(() => assert.ok(hits() >= 1), 30_000);
      assert.ok(Number(task.read('pids', 'pids.current')) <= 40);
    }));

  test('whole CPUs are for the pinned task alone', () =>
    withTask({ qos: 'burstable' }, async (other) => {
      other.start('sleep 1000');
      const all = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
      await withTask(
        { qos: 'guaranteed' },
        async (task) => {
          const effective = v1 ? 'cpuset.effective_cpus' : 'cpuset.cpus.effective';
          await eventually(() => assert.equal(task.read('cpuset', effective), '0'), 2_000);
          await eventually(() => assert.ok(!other.read('cpuset', effective).startsWith('0')), 2_000);
          task.start('sleep 1000');
          await eventually(
            () => assert.match(readFileSync(`/proc/${task.pid}/status`, 'utf8'), /Cpus_allowed_list:\t0\n/),
            5_000,
          );
        },
        { cpuShares: 1024 },
      );
      const effective = v1 ? 'cpuset.effective_cpus' : 'cpuset.cpus.effective';
      await eventually(() => assert.equal(other.read('cpuset', effective), all), 2_000);
    }));

  test('what another writer changes returns within a second', () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      task.start('sleep 1000');
      for (const [controller, file] of wanted) {
        const loose = {
          'cpu.cfs_burst_us': '0',
          'cpu.max.burst': '0',
          'cpu.shares': '1024',
          'cpu.weight': '100',
          'pids.max': 'max',
        }[file];
        if (loose === undefined) continue;
        task.write(controller, file, loose);
        await eventually(() => assertStands(task), 1_000);
      }
      task.write('memory', v1 ? 'memory.limit_in_bytes' : 'memory.max', String(44 * 2 ** 20));
      // That is tighter than ours, and tightening is anybody's right; only systemd may see it otherwise.
      await sleep(200);
      if (systemd) return;
      assert.equal(task.read('memory', v1 ? 'memory.limit_in_bytes' : 'memory.max'), String(44 * 2 ** 20));
    }));

  test('a container that starts again finds its values', () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      for (let start = 0; start < 3; start += 1) {
        task.start('sleep 0.1');
        await sleep(300);
        assertStands(task);
      }
    }));

  /** From then on systemd itself keeps the values, also while no agent runs. */
  const kept = (task: EcsTask): Promise<void> =>
    systemd
      ? eventually(() => {
          const shown = execFileSync('systemctl', ['show', '-p', 'TasksMax', task.slice], {
            encoding: 'utf8',
          });
          assert.equal(shown.trim(), 'TasksMax=40');
        }, 20_000)
      : Promise.resolve();

  test(`values hold while the agent is killed ${KILLS} times`, { timeout: 600_000 }, () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      await kept(task);
      task.start('sleep 1000');
      for (let kill = 0; kill < KILLS; kill += 1) {
        // Any moment of its life: from before its first line to well after it has taken over.
        await sleep(Math.random() * 400);
        await agent.end('SIGKILL');
        assertStands(task);
        agent.start();
      }
      await agent.ready();
      assertStands(task);
    }),
  );

  test('groups that vanish under its hands do not hurt it', async () => {
    for (let round = 0; round < VANISHING; round += 1) {
      const task = new EcsTask(shape, engine, limits);
      task.create();
      if (round % 2 === 0) await sleep(Math.random() * 5);
      await task.remove();
    }
    assert.ok(agent.alive, agent.log);
    // Announced behind those that are gone: when its values stand, the agent is through with them.
    await withTask(limits, (task) => eventually(() => assertStands(task), STANDS_BOUND_MS));
    await withTask(limits, (task) => eventually(() => assertStands(task), 2_000));
  });

  test(`at rest nothing is written in ${REST_MS / 1000} s`, { timeout: REST_MS + 60_000 }, () =>
    withTask(limits, async (task) => {
      await eventually(() => assertStands(task), 2_000);
      await kept(task);
      task.start('sleep 1000');
      await sleep(1_000);
      const knobs = new Set(wanted.map(([, file]) => file));
      const writes: string[] = [];
      const watches = [...new Set(wanted.map(([controller]) => controller))].map((controller) =>
        watch(task.file(controller, ''), (_, name) => {
          if (name !== null && knobs.has(name)) writes.push(name);
        }),
      );
      await sleep(REST_MS);
      for (const each of watches) each.close();
      assert.deepEqual(writes, []);
    }),
  );

  test(
    'systemd resets values and they return within a second',
    { skip: systemd ? false : 'no systemd here' },
    () =>
      withTask(limits, async (task) => {
        await eventually(() => assertStands(task), 2_000);
        await kept(task);
        task.start('sleep 1000');
        for (const command of [
          ['daemon-reload'],
          ['daemon-reexec'],
          ['set-property', '--runtime', task.slice, 'IOWeight=50'],
        ]) {
          execFileSync('systemctl', command);
          await eventually(() => assertStands(task), 1_000);
        }
      }),
  );

  const inUse = process.env.BERTH_SUITE_NATIVE === '1' && 'this machine is in use';
  const directoryOf = (group: string): string => controllerDirectory(mounts, 'memory', group) ?? '';
  const world = {
    agent,
    version: mounts.version,
    systemd,
    slice: directoryOf(parent),
    above: root === '' ? undefined : directoryOf(root),
    skip: inUse,
    withTask,
  };
  burstEffect(world);
  partitionEffects(world);
  memoryEffects(world);
  softLimitEffect(world);
  swapEffects(world);
  writeLimitEffect(world);
  ioWeightEffects(world);
  egressEffect(world);
  // Before the pressure that has a task frozen, which takes its time to leave the averages.
  pressureTriggers({ agent, mounts, parent, withTask });
  effectsInGuest(world);

  test('the agent has run into nothing unexpected', () => {
    const odd = agent.log
      .split('\n')
      .filter((line) => /Error|error|undefined/.test(line) && !/SIGKILL/.test(line));
    assert.deepEqual(odd, []);
    assert.ok(existsSync(socket));
  });
});
