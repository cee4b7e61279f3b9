import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EcsTask } from './ecsTask.ts';
import type { EffectsWorld } from './effects.ts';
import { ownDisk } from './suiteDisk.ts';

const MIB = 2 ** 20;
const WINDOW_MS = 3_000;

/** What the task's container has written through to disks, as the kernel counts it; on v1 in the file of whoever limits it. */
export function writtenBytes(
  task: EcsTask,
  version: 1 | 2,
  v1File = 'blkio.throttle.io_service_bytes',
): number {
  const [file, pattern] =
    version === 2 ? (['io.stat', /wbytes=(\d+)/g] as const) : ([v1File, /^\d+:\d+ Write (\d+)/gm] as const);
  // v1 counts where the process is, v2 in every group above as well.
  const below = version === 2 ? '' : `/${task.container}`;
  const text = readFileSync(task.file(version === 2 ? 'io' : 'blkio', file, below), 'utf8');
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** A limit on writes, on a disk of the suite's own. */
export function writeLimitEffect({ version, withTask }: EffectsWorld): void {
  test('a write limit holds the disk to its rate', async () => {
    const disk = ownDisk();
    const io = { path: disk.path, writeBytesPerSecond: MIB, weight: 50 };
    // v1 knows whose a write is only where the writer itself hands it to the disk.
    const way = version === 2 ? 'conv=fsync' : 'oflag=direct';
    try {
      await withTask({ qos: 'burstable', io }, async (task) => {
        const stands = (): void => {
          if (version === 2) assert.equal(task.read('io', 'io.weight'), 'default 50');
          if (version === 2) assert.equal(task.read('io', 'io.bfq.weight'), 'default 50');
          if (version === 2) assert.match(task.read('io', 'io.max'), /wbps=1048576/);
          else assert.match(task.read('blkio', 'blkio.throttle.write_bps_device'), /^\d+:\d+ 1048576$/);
        };
        await eventually(stands, STANDS_BOUND_MS);
        const buffered = `dd if=/dev/zero of=${disk.path}/buffered bs=64k count=64`;
        task.start(
          `dd if=/dev/zero of=${disk.path}/file bs=64k count=96 ${way}; ${buffered}; touch ${disk.path}/end; sleep 1000`,
        );
        await eventually(() => assert.ok(writtenBytes(task, version) > MIB / 2), 60_000);
        const [bytes, at] = [writtenBytes(task, version), performance.now()];
        await sleep(WINDOW_MS);
        const rate = (writtenBytes(task, version) - bytes) / ((performance.now() - at) / 1000);
        assert.ok(rate > 0 && rate < 1.5 * MIB, `${(rate / MIB).toFixed(2)} MiB/s were written`);
        // A process that waits for the disk cannot be killed.
        await eventually(() => assert.ok(writtenBytes(task, version) >= 6 * MIB), 60_000);
        await eventually(() => assert.ok(statSync(`${disk.path}/end`).isFile()), 60_000);
        execFileSync('sync', ['-f', disk.path]);
        // What the capability says: on v1 the kernel writes what is buffered, and the limit does not see it.
        if (version === 1) assert.ok(writtenBytes(task, version) < 7 * MIB);
        else assert.ok(writtenBytes(task, version) >= 10 * MIB);
      });
    } finally {
      disk.remove();
    }
  });
}
