import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { flatKeyed } from '../taskSample.ts';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EcsTask } from './ecsTask.ts';
import type { EffectsWorld } from './effects.ts';
import { coldFile, dropCaches } from './suiteDisk.ts';

const MIB = 2 ** 20;
const KEPT_BYTES = 16 * MIB;
const CHURN_BYTES = 32 * MIB;
const PAGE_BYTES = 4096;

const stat = (task: EcsTask, file: string, name: string): number =>
  flatKeyed(task.read('memory', file), name) ?? 0;
const stolenBytes = (task: EcsTask): number => stat(task, 'memory.stat', 'pgsteal') * PAGE_BYTES;

/** What memory protection, the high mark and the group kill do, on cgroup v2. */
export function memoryEffects({ version, systemd, skip, slice, above, withTask }: EffectsWorld): void {
  const v1 = version === 1 && 'v1 has no protection: its soft limit counts when the whole machine runs short';

  /**
   * One task keeps a file in memory while its neighbour reads more than the limit on `limited` leaves room for. Returns
   * what the kernel took from the first, and still finds there.
   */
  async function pressed(
    memory: NonNullable<IsolationProfile['memory']>,
    limited: string,
  ): Promise<{ stolen: number; current: number }> {
    const files = [coldFile('kept', KEPT_BYTES), coldFile('churn', CHURN_BYTES)] as const;
    let seen = { stolen: 0, current: 0 };
    try {
      await withTask({ qos: 'burstable', memory: { maxMiB: 64, ...memory } }, (keeper) =>
        withTask({ qos: 'burstable', memory: { maxMiB: 64 } }, async (hog) => {
          await eventually(() => {
            assert.equal(keeper.read('memory', 'memory.min'), String((memory.minMiB ?? 0) * MIB));
            const low = Math.max(memory.lowMiB ?? 0, memory.minMiB ?? 0);
            assert.equal(keeper.read('memory', 'memory.low'), String(low * MIB));
          }, STANDS_BOUND_MS);
          dropCaches();
          keeper.start(`cat ${files[0]} >/dev/null; sleep 1000`);
          await eventually(
            () => assert.ok(stat(keeper, 'memory.stat', 'file') >= KEPT_BYTES, 'the file is read'),
            20_000,
          );
          writeFileSync(`${limited}/memory.max`, String(KEPT_BYTES + 16 * MIB));
          const before = stolenBytes(keeper);
          hog.start(`while true; do cat ${files[1]} >/dev/null; done`);
          await eventually(
            () => assert.ok(stolenBytes(hog) > 2 * CHURN_BYTES, 'pages are reclaimed'),
            60_000,
          );
          seen = { stolen: stolenBytes(keeper) - before, current: stat(keeper, 'memory.stat', 'file') };
        }),
      );
    } finally {
      writeFileSync(`${limited}/memory.max`, 'max');
      for (const file of files) rmSync(file);
    }
    return seen;
  }

  for (const memory of [{ minMiB: 24 }, { lowMiB: 24 }]) {
    test(`what ${Object.keys(memory)} protects stays when a neighbour fills ECS's slice`, {
      skip: v1 || skip,
    }, async () => {
      const { stolen, current } = await pressed(memory, slice);
      assert.equal(stolen, 0);
      assert.ok(current >= KEPT_BYTES, `${current} bytes are left`);
    });
  }

  test('what nothing protects goes', { skip: v1 || skip }, async () => {
    const { stolen } = await pressed({}, slice);
    assert.ok(stolen > 0);
  });

  const noneAbove = above === undefined && 'above the slice is the root, which takes no limit';
  test("protection reaches as far as that of ECS's slice", { skip: v1 || skip || noneAbove }, async () => {
    const bare = await pressed({ minMiB: 24 }, above ?? '');
    assert.ok(bare.stolen > 0, 'an unprotected slice grants its tasks nothing');
    writeFileSync(`${slice}/memory.min`, String(24 * MIB));
    try {
      const protectedToo = await pressed({ minMiB: 24 }, above ?? '');
      assert.equal(protectedToo.stolen, 0);
    } finally {
      writeFileSync(`${slice}/memory.min`, '0');
    }
  });

  test('a best-effort task is reclaimed from above its high mark', { skip: v1 || skip }, async () => {
    const file = coldFile('churn', CHURN_BYTES);
    try {
      await withTask({ qos: 'best-effort', memory: { maxMiB: 48, highMiB: 8 } }, async (task) => {
        await eventually(
          () => assert.equal(task.read('memory', 'memory.high'), String(8 * MIB)),
          STANDS_BOUND_MS,
        );
        dropCaches();
        task.start(`while true; do cat ${file} >/dev/null; done`);
        await eventually(() => assert.ok(stat(task, 'memory.events', 'high') > 0), 30_000);
        await eventually(() => assert.ok(stolenBytes(task) > CHURN_BYTES), 60_000);
        assert.ok(Number(task.read('memory', 'memory.current')) < 12 * MIB);
      });
    } finally {
      rmSync(file);
    }
  });

  test(
    'with oomGroup the whole task goes',
    { skip: (version === 1 && 'on v1 the agent does it') || skip },
    () =>
      withTask({ qos: 'burstable', memory: { maxMiB: 48, oomGroup: true } }, async (task) => {
        await eventually(() => assert.equal(task.read('memory', 'memory.oom.group'), '1'), STANDS_BOUND_MS);
        task.start('sleep 1000 & tail /dev/zero');
        await eventually(() => assert.ok(stat(task, 'memory.events', 'oom_group_kill') >= 1), 60_000);
        // Under systemd an empty slice's scope is removed, and the slice's own counters stay.
        if (!systemd)
          await eventually(() => assert.match(task.read('memory', 'cgroup.events'), /populated 0/), 10_000);
      }),
  );
}
