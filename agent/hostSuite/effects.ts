import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { type AgentUnderTest, eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EcsTask, Request } from './ecsTask.ts';

export interface EffectsWorld {
  readonly agent: AgentUnderTest;
  readonly version: 1 | 2;
  readonly systemd: boolean;
  /** The directory of ECS's group, and of the one above when there is one that takes limits; of memory. */
  readonly slice: string;
  readonly above: string | undefined;
  /** Why this machine cannot show them. */
  readonly skip: string | false;
  withTask(profile: IsolationProfile, use: (task: EcsTask) => Promise<void>, create?: Request): Promise<void>;
}

const MIB = 2 ** 20;

/** What only a guest of our own can show: its huge pages, and pressure that hurts nobody. */
export function effectsInGuest({ agent, version, systemd, skip, withTask }: EffectsWorld): void {
  test(
    'huge pages end at their limit',
    { skip: skip || (systemd && 'systemd gives slices no hugetlb controller') },
    () =>
      withTask({ qos: 'burstable', hugetlb: { '2MB': 4 * MIB } }, async (task) => {
        const [limit, refused, used] =
          version === 2
            ? (['max', 'events', 'current'] as const)
            : (['limit_in_bytes', 'failcnt', 'usage_in_bytes'] as const);
        const read = (name: string): string => task.read('hugetlb', `hugetlb.2MB.${name}`);
        await eventually(() => assert.equal(read(limit), String(4 * MIB)), STANDS_BOUND_MS);
        // Six pages of which the task may have two.
        task.start(
          'mkdir -p /tmp/huge; mount -t hugetlbfs none /tmp/huge; fallocate -l 12582912 /tmp/huge/file; sleep 1000',
        );
        await eventually(() => assert.match(read(refused), /[1-9]/), 30_000);
        assert.ok(Number(read(used)) <= 4 * MIB);
      }),
  );

  test('a best-effort task that presses its neighbour is held back step by step, frozen at last, and thawed', {
    skip,
  }, () => {
    // Pressure is counted by CPU: the victim has two to run on each.
    const spins = Array.from({ length: 2 * availableParallelism() }, () => 'while true; do :; done').join(
      ' & ',
    );
    return withTask({ qos: 'best-effort' }, (hog) =>
      withTask({ qos: 'burstable' }, async (victim) => {
        hog.start(spins);
        victim.start(spins);
        const frozen = (task: EcsTask): boolean =>
          version === 2
            ? /frozen 1/.test(task.read('cpu', 'cgroup.events'))
            : task.read('freezer', 'freezer.state') === 'FROZEN';
        const ladder = (): string =>
          agent.log
            .split('\n')
            .filter((line) => line.includes(' pressure '))
            .join('\n');
        await eventually(() => assert.ok(frozen(hog), ladder()), 120_000);
        const told = ladder()
          .split('\n')
          .filter((line) => line.includes(` pressure ${hog.id} escalate`));
        const steps = told.map((line) => /escalate (\w+) \(cpu pressure/.exec(line)?.[1]);
        assert.deepEqual(steps, ['headroom', 'idle', 'freeze']);
        await eventually(() => assert.ok(!frozen(hog)), 30_000);
        assert.ok(!frozen(victim));
      }),
    );
  });
}
