import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatKeyed } from '../taskSample.ts';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EcsTask } from './ecsTask.ts';
import type { EffectsWorld } from './effects.ts';

const MIB = 2 ** 20;
/** Grows until it is stopped; what it holds can only be swapped out. */
const GROW = 'tail /dev/zero; sleep 1000';

const stat = (task: EcsTask, file: string, name: string): number =>
  flatKeyed(task.read('memory', file), name) ?? 0;

/** Limits on swap, and the high mark of a task that has some. */
export function swapEffects({ version, skip, withTask }: EffectsWorld): void {
  test('a task swaps as much as it may and is killed then', { skip }, () =>
    withTask({ qos: 'burstable', memory: { maxMiB: 24, swapMaxMiB: 12 } }, async (task) => {
      const [file, value] =
        version === 2
          ? (['memory.swap.max', 12 * MIB] as const)
          : (['memory.memsw.limit_in_bytes', 36 * MIB] as const);
      await eventually(() => assert.equal(task.read('memory', file), String(value)), STANDS_BOUND_MS);
      task.start(GROW);
      if (version === 1) {
        await eventually(() => assert.ok(Number(task.read('memory', 'memory.memsw.failcnt')) > 0), 60_000);
        const most = Number(task.read('memory', 'memory.memsw.max_usage_in_bytes'));
        // More than fits into memory, so that the rest was swap.
        assert.ok(most > 24 * MIB && most <= 36 * MIB, `${most} bytes at most`);
        return;
      }
      let most = 0;
      await eventually(() => {
        most = Math.max(most, Number(task.read('memory', 'memory.swap.current')));
        assert.ok(stat(task, 'memory.events', 'oom_kill') > 0);
      }, 60_000);
      // Killed although the guest has more swap: `memory.swap.events` counts what finds no room, and a full group does not try.
      assert.ok(most > 4 * MIB && most <= 12 * MIB, `${most} bytes at most`);
    }),
  );

  test('a task that asks for no swap gets none', { skip }, () =>
    withTask({ qos: 'burstable', memory: { maxMiB: 24 } }, async (task) => {
      const file = version === 2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes';
      const value = version === 2 ? '0' : String(24 * MIB);
      await eventually(() => assert.equal(task.read('memory', file), value), STANDS_BOUND_MS);
      task.start(GROW);
      const swapped = (): number =>
        version === 2
          ? Number(task.read('memory', 'memory.swap.current'))
          : stat(task, 'memory.stat', 'total_swap');
      const killed = (): number =>
        version === 2
          ? stat(task, 'memory.events', 'oom_kill')
          : (flatKeyed(task.readBelow('memory', 'memory.oom_control'), 'oom_kill') ?? 0);
      await eventually(() => {
        assert.equal(swapped(), 0);
        assert.ok(killed() > 0);
      }, 60_000);
    }),
  );

  const noHigh = version === 1 && 'v1 has no high mark';
  test('with swap, a task is pushed below its high mark', { skip: noHigh || skip }, () =>
    withTask({ qos: 'burstable', memory: { maxMiB: 48, highMiB: 16, swapMaxMiB: 24 } }, async (task) => {
      await eventually(
        () => assert.equal(task.read('memory', 'memory.high'), String(16 * MIB)),
        STANDS_BOUND_MS,
      );
      task.start(GROW);
      await eventually(() => {
        assert.ok(stat(task, 'memory.events', 'high') > 0);
        assert.ok(Number(task.read('memory', 'memory.swap.current')) > 4 * MIB);
      }, 60_000);
    }),
  );
}
