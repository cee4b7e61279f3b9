import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { flatKeyed } from '../taskSample.ts';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EcsTask } from './ecsTask.ts';
import type { EffectsWorld } from './effects.ts';
import { coldFile, dropCaches } from './suiteDisk.ts';

const MIB = 2 ** 20;
const FILE_BYTES = 20 * MIB;
const LOW_MIB = 4;
/** Left free when huge pages have taken the rest of the guest's memory. */
const LEFT_BYTES = 64 * MIB;
const TAKEN_AT_MOST_BYTES = 2 * LEFT_BYTES;
const HUGE_PAGES = '/proc/sys/vm/nr_hugepages';
const HUGE_PAGE_BYTES = 2 * MIB;

const freeBytes = (): number =>
  Number(/^MemFree:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
const cached = (task: EcsTask): number => flatKeyed(task.read('memory', 'memory.stat'), 'total_cache') ?? 0;

/** Takes what is left of the machine's memory, a step at a time, until `enough`. */
async function takeMemory(enough: () => boolean): Promise<void> {
  const path = '/tmp/berth-taken';
  const file = openSync(path, 'w');
  try {
    for (let taken = 0; taken < TAKEN_AT_MOST_BYTES && !enough(); taken += MIB) {
      writeSync(file, Buffer.alloc(MIB, 1));
      await sleep(5);
    }
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** What v1 makes of memory that a task is promised: whoever is above it goes first when the whole machine runs short. */
export function softLimitEffect({ version, skip, withTask }: EffectsWorld): void {
  const v2 = version === 2 && 'v2 has memory.low instead';
  test('a machine that runs short takes from the task above its soft limit', {
    skip: v2 || skip,
  }, async () => {
    const files = ['above', 'below'].map((name) => coldFile(name, FILE_BYTES));
    const pages = readFileSync(HUGE_PAGES, 'utf8').trim();
    const memory = (lowMiB: number) => ({ qos: 'burstable', memory: { maxMiB: 64, lowMiB } }) as const;
    try {
      await withTask(memory(LOW_MIB), (above) =>
        withTask(memory(64), async (below) => {
          const tasks = [above, below];
          await eventually(() => {
            const soft = tasks.map((task) => task.read('memory', 'memory.soft_limit_in_bytes'));
            assert.deepEqual(soft, [String(LOW_MIB * MIB), String(64 * MIB)]);
          }, STANDS_BOUND_MS);
          dropCaches();
          for (const [index, task] of tasks.entries())
            task.start(`cat ${files[index]} >/dev/null; sleep 1000`);
          await eventually(() => assert.ok(Math.min(...tasks.map(cached)) >= FILE_BYTES), 20_000);
          const more = Math.floor((freeBytes() - LEFT_BYTES) / HUGE_PAGE_BYTES);
          writeFileSync(HUGE_PAGES, String(Number(pages) + more));
          const [aboveHad = 0, belowHad = 0] = tasks.map(cached);
          await takeMemory(() => cached(above) < aboveHad / 2);
          const [aboveLost, belowLost] = [aboveHad - cached(above), belowHad - cached(below)];
          assert.ok(aboveLost >= aboveHad / 2, `${aboveLost} of ${aboveHad} bytes were taken`);
          assert.ok(belowLost < aboveLost / 4, `${belowLost} bytes were taken of the task below its limit`);
        }),
      );
    } finally {
      writeFileSync(HUGE_PAGES, pages);
      for (const file of files) rmSync(file);
    }
  });
}
