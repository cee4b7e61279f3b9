import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CpuPartition } from '../../layers/domain/isolation/profile.ts';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EcsTask } from './ecsTask.ts';
import type { EffectsWorld } from './effects.ts';

const ROOT = '/sys/fs/cgroup';
const ONE_CPU = { cpuShares: 1024 };

const read = (file: string): string => readFileSync(file, 'utf8').trim();
const allowed = (pid: number | 'self'): string | undefined =>
  /Cpus_allowed_list:\t(\S*)/.exec(read(`/proc/${pid}/status`))?.[1];

/** CPUs that become a partition of one task, what the kernel says against it, and what is left to the others then. */
export function partitionEffects({ agent, version, slice, above, withTask }: EffectsWorld): void {
  const exclusive = version === 2 && existsSync(`${ROOT}/cpuset.cpus.isolated`);
  const skip =
    version === 1 ? 'cgroup v1 has no partitions' : !exclusive && 'kernel 6.7 brought them to a task';
  const profile = (partition: CpuPartition) => ({ qos: 'guaranteed', cpu: { partition } }) as const;
  const refusals = async (task: EcsTask) => (await agent.report()).tasks[task.id]?.refused;

  /** As the host's operator, in each of the groups, from the top. */
  async function prepared(
    groups: readonly string[],
    file: string,
    values: readonly [set: string, unset: string],
    use: () => Promise<void>,
  ): Promise<void> {
    for (const group of groups) {
      writeFileSync(`${group}/${file}`, values[0]);
      assert.equal(read(`${group}/${file}`), values[0], `${group}/${file}`);
    }
    try {
      await use();
    } finally {
      for (const group of groups.toReversed()) writeFileSync(`${group}/${file}`, values[1]);
    }
  }
  /** CPUs that may be given away. */
  const withExclusive = (cpus: string, use: () => Promise<void>): Promise<void> =>
    prepared(above === undefined ? [slice] : [above, slice], 'cpuset.cpus.exclusive', [cpus, ''], use);
  /** CPUs that are a partition already, for tasks alone. */
  const withinPartition = (cpus: string, use: () => Promise<void>): Promise<void> => {
    const all = read(`${ROOT}/cpuset.cpus.effective`);
    const asRoot = (): Promise<void> => prepared([slice], 'cpuset.cpus.partition', ['root', 'member'], use);
    const withCpus = (): Promise<void> => prepared([slice], 'cpuset.cpus', [cpus, all], asRoot);
    return above === undefined ? withCpus() : withExclusive(cpus, withCpus);
  };

  /** systemd has the controller on below the slice while a unit of it is pinned: this one is, to the first CPU. */
  const withController = (use: () => Promise<void>): Promise<void> =>
    withTask(
      { qos: 'guaranteed' },
      async () => {
        await eventually(() => assert.ok(existsSync(`${slice}/cpuset.cpus.partition`)), STANDS_BOUND_MS);
        await use();
      },
      ONE_CPU,
    );

  const refusedPartition = (): Promise<void> =>
    withTask(
      profile('root'),
      async (task) => {
        const effective = version === 1 ? 'cpuset.effective_cpus' : 'cpuset.cpus.effective';
        await eventually(
          () => assert.equal(task.read('cpuset', effective), version === 1 ? '0' : '1'),
          STANDS_BOUND_MS,
        );
        if (version === 2) assert.equal(task.read('cpuset', 'cpuset.cpus.partition'), 'member');
        const [refusal] = (await refusals(task)) ?? [];
        assert.equal(refusal?.knob, 'cpu.partition');
        const reason =
          version === 1 ? /cgroup v1 has none/ : exclusive ? /names no CPUs/ : /asks that it be one/;
        assert.match(refusal.reason, reason);
        const { capabilities, cannot } = await agent.report();
        assert.equal(capabilities.cpusetPartition, `no: ${refusal.reason}`);
        assert.ok(cannot.includes('cpusetPartition'));
      },
      ONE_CPU,
    );
  test('without leave of its operator, a partition is refused with the reason, and the CPUs are pinned', () =>
    version === 1 ? refusedPartition() : withController(refusedPartition));

  for (const partition of ['root', 'isolated'] as const) {
    test(`the task's CPUs are a partition (${partition}), also after the agent's death`, { skip }, () =>
      withExclusive('0-2', () =>
        withTask({ qos: 'burstable' }, async (other) => {
          other.start('sleep 1000');
          await withTask(
            profile(partition),
            async (task) => {
              const stands = (): void => {
                assert.equal(task.read('cpuset', 'cpuset.cpus.partition'), partition);
                assert.equal(task.read('cpuset', 'cpuset.cpus.effective'), '0');
                assert.equal(other.read('cpuset', 'cpuset.cpus.effective'), '1-2');
                // Nothing on the host but the task: not even this process.
                assert.equal(read(`${ROOT}/cpuset.cpus.effective`), '1-2');
                assert.equal(read(`${ROOT}/cpuset.cpus.isolated`), partition === 'isolated' ? '0' : '');
                assert.equal(allowed('self'), '1-2');
              };
              await eventually(stands, STANDS_BOUND_MS);
              task.start('sleep 1000');
              await eventually(() => assert.equal(allowed(task.pid), '0'), 5_000);
              assert.deepEqual(await refusals(task), []);
              assert.equal((await agent.report()).capabilities.cpusetPartition, 'yes');
              await agent.end('SIGKILL');
              agent.start();
              await agent.ready();
              await eventually(async () => assert.deepEqual(await refusals(task), []), 20_000);
              stands();
            },
            ONE_CPU,
          );
          await eventually(() => assert.equal(read(`${ROOT}/cpuset.cpus.effective`), '0-2'), STANDS_BOUND_MS);
          await eventually(
            () => assert.equal(other.read('cpuset', 'cpuset.cpus.effective'), '0-2'),
            STANDS_BOUND_MS,
          );
        }),
      ),
    );
  }

  test(
    "below a slice that is a partition, the task's CPUs are one, on older kernels too",
    {
      skip: version === 1 && 'cgroup v1 has no partitions',
    },
    () =>
      withTask({ qos: 'burstable' }, async (other) => {
        // The slice has the controller from the first container on.
        other.start('sleep 1000');
        await eventually(() => assert.ok(existsSync(`${slice}/cpuset.cpus.partition`)), STANDS_BOUND_MS);
        await withinPartition('0-1', async () => {
          await withTask(
            profile('root'),
            async (task) => {
              await eventually(() => {
                assert.equal(task.read('cpuset', 'cpuset.cpus.partition'), 'root');
                assert.equal(task.read('cpuset', 'cpuset.cpus.effective'), '0');
                assert.equal(other.read('cpuset', 'cpuset.cpus.effective'), '1');
              }, STANDS_BOUND_MS);
              assert.deepEqual(await refusals(task), []);
            },
            ONE_CPU,
          );
        });
      }),
  );

  test(
    'what the kernel has against a partition is told in its own words, and the CPUs are pinned',
    { skip },
    () =>
      withExclusive('0', async () => {
        // Somebody else's claim to the very CPU.
        const foreign = `${slice}/foreign`;
        mkdirSync(foreign);
        writeFileSync(`${foreign}/cpuset.cpus.exclusive`, '0');
        try {
          await withTask(
            profile('root'),
            async (task) => {
              await eventually(async () => {
                const [refusal] = (await refusals(task)) ?? [];
                assert.equal(refusal?.knob, 'cpu.partition');
                assert.match(refusal.reason, /^reads root invalid \(.+\) after writing root$/);
              }, 5_000);
              assert.equal(task.read('cpuset', 'cpuset.cpus.partition'), 'member');
              assert.equal(task.read('cpuset', 'cpuset.cpus.effective'), '0');
            },
            ONE_CPU,
          );
        } finally {
          rmdirSync(foreign);
        }
      }),
  );
}
