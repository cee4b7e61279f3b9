import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { type AgentUnderTest, eventually } from './agentUnderTest.ts';
import type { EcsTask, Request } from './ecsTask.ts';
import { DISK } from './guestDisk.ts';

export interface EffectsWorld {
  readonly agent: AgentUnderTest;
  readonly systemd: boolean;
  /** Why this machine cannot show them. */
  readonly skip: string | false;
  withTask(profile: IsolationProfile, use: (task: EcsTask) => Promise<void>, create?: Request): Promise<void>;
}

const MIB = 2 ** 20;

/** One number of a task's `io.stat`, over all devices. */
const ioStat = (task: EcsTask, name: string): number =>
  [...task.read('io', 'io.stat').matchAll(new RegExp(`${name}=(\\d+)`, 'g'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );

/** What only a guest of our own can show: its disk, its huge pages, and pressure that hurts nobody. */
export function effectsInGuest({ agent, systemd, skip, withTask }: EffectsWorld): void {
  test('a write limit holds the disk to its rate', { skip }, () =>
    withTask({ qos: 'burstable', io: { path: DISK, writeBytesPerSecond: MIB, weight: 50 } }, async (task) => {
      await eventually(() => assert.match(task.read('io', 'io.max'), /wbps=1048576/), 2_000);
      assert.equal(task.read('io', 'io.weight'), 'default 50');
      task.start(`dd if=/dev/zero of=${DISK}/file bs=64k count=96 conv=fsync; sleep 1000`);
      await eventually(() => assert.ok(ioStat(task, 'wbytes') > MIB / 2), 60_000);
      const [bytes, at] = [ioStat(task, 'wbytes'), performance.now()];
      await sleep(3_000);
      const rate = (ioStat(task, 'wbytes') - bytes) / ((performance.now() - at) / 1000);
      assert.ok(rate > 0 && rate < 1.5 * MIB, `${(rate / MIB).toFixed(2)} MiB/s were written`);
      // A process that waits for the disk cannot be killed.
      await eventually(() => assert.ok(ioStat(task, 'wbytes') >= 6 * MIB), 60_000);
    }),
  );

  test(
    'huge pages end at their limit',
    { skip: skip || (systemd && 'systemd gives slices no hugetlb controller') },
    () =>
      withTask({ qos: 'burstable', hugetlb: { '2MB': 4 * MIB } }, async (task) => {
        await eventually(() => assert.equal(task.read('hugetlb', 'hugetlb.2MB.max'), String(4 * MIB)), 2_000);
        // Six pages of which the task may have two.
        task.start(
          'mkdir -p /tmp/huge; mount -t hugetlbfs none /tmp/huge; fallocate -l 12582912 /tmp/huge/file; sleep 1000',
        );
        await eventually(() => assert.match(task.read('hugetlb', 'hugetlb.2MB.events'), /max [1-9]/), 30_000);
        assert.ok(Number(task.read('hugetlb', 'hugetlb.2MB.current')) <= 4 * MIB);
      }),
  );

  test('a best-effort task that presses its neighbour is held back step by step, frozen at last, and thawed', {
    skip,
  }, () => {
    const spin = 'while true; do :; done';
    return withTask({ qos: 'best-effort' }, (hog) =>
      withTask({ qos: 'burstable' }, async (victim) => {
        hog.start(`${spin} & ${spin} & ${spin}`);
        victim.start(`${spin} & ${spin} & ${spin} & ${spin}`);
        const frozen = (): string | undefined =>
          /frozen (\d)/.exec(readFileSync(hog.file('cpu', 'cgroup.events'), 'utf8'))?.[1];
        await eventually(() => assert.equal(frozen(), '1'), 120_000);
        const told = agent.log.split('\n').filter((line) => line.includes(` pressure ${hog.id} escalate`));
        const steps = told.map((line) => /escalate (\w+) \(cpu pressure/.exec(line)?.[1]);
        assert.deepEqual(steps, ['headroom', 'idle', 'freeze']);
        await eventually(() => assert.equal(frozen(), '0'), 30_000);
        assert.equal(victim.read('cpu', 'cgroup.freeze'), '0');
      }),
    );
  });
}
