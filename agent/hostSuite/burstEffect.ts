import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatKeyed } from '../taskSample.ts';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import type { EffectsWorld } from './effects.ts';

/** What a task saves up below its quota it may spend above it. */
export function burstEffect({ version, withTask }: EffectsWorld): void {
  test('a burst is spent above the quota', () =>
    withTask({ qos: 'burstable', cpu: { limitUnits: 256, burstUs: 20_000 } }, async (task) => {
      const file = version === 2 ? 'cpu.max.burst' : 'cpu.cfs_burst_us';
      await eventually(() => assert.equal(task.read('cpu', file), '20000'), STANDS_BOUND_MS);
      task.start('while true; do sleep 0.5; i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; done');
      await eventually(() => {
        const stat = task.read('cpu', 'cpu.stat');
        assert.ok((flatKeyed(stat, 'nr_bursts') ?? 0) >= 2);
        assert.ok((flatKeyed(stat, version === 2 ? 'burst_usec' : 'burst_time') ?? 0) > 0);
      }, 30_000);
    }));
}
