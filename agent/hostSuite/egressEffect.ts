import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './agentUnderTest.ts';
import type { EffectsWorld } from './effects.ts';
import { HOST_ADDRESS, queueOf } from './taskNetwork.ts';

const MEGABITS_PER_SECOND = 8;
const BYTES_PER_SECOND = (MEGABITS_PER_SECOND * 1e6) / 8;
/** Long enough that what may leave at once (64 KiB) no longer counts. */
const WINDOW_MS = 4_000;
const TOLERANCE = 1.1;

/** What leaves a task is held to its rate, by the counters of the queue on its interface. */
export function egressEffect({ withTask }: EffectsWorld): void {
  test('an egress limit holds what leaves the task to its rate', () =>
    withTask({ qos: 'burstable', network: { egressMbps: MEGABITS_PER_SECOND } }, async (task) => {
      const sink = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
      sink.listen(0);
      await once(sink, 'listening');
      const { port } = sink.address() as AddressInfo;
      try {
        // Until the interface is there, there is no way to the sink.
        await task.startApart(
          `until busybox nc -w 5 ${HOST_ADDRESS} ${port} </dev/zero; do sleep 0.1; done; sleep 1000`,
        );
        await eventually(() => assert.equal(queueOf(task.pid).kind, 'tbf'), 20_000);
        await eventually(() => assert.ok(queueOf(task.pid).bytes > BYTES_PER_SECOND / 2), 30_000);
        const [before, at] = [queueOf(task.pid), performance.now()];
        await sleep(WINDOW_MS);
        const after = queueOf(task.pid);
        const rate = (after.bytes - before.bytes) / ((performance.now() - at) / 1000);
        assert.ok(rate > 0 && rate < BYTES_PER_SECOND * TOLERANCE, `${Math.round(rate)} bytes/s have left`);
        assert.ok(after.overlimits > before.overlimits, 'nothing had to wait for the rate');
      } finally {
        sink.close();
      }
    }));
}
