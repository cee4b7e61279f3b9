import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

/**
 * Latencies (ms) of requests at a fixed rate. Each is counted from when it was due, not from when it left: a server that
 * stalls makes every request due meanwhile late, as its users would see it (no coordinated omission).
 */
export async function fixedRate(url: string, perSecond: number, seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const total = perSecond * seconds;
  const intervalMs = 1000 / perSecond;
  const latencies: number[] = [];
  const start = performance.now() + intervalMs;
  let sent = 0;
  await new Promise<void>((done, fail) => {
    const finish = (dueAt: number): void => {
      latencies.push(performance.now() - dueAt);
      if (latencies.length === total) done();
    };
    const pump = (): void => {
      while (sent < total && performance.now() >= start + sent * intervalMs) {
        const dueAt = start + sent * intervalMs;
        sent += 1;
        const call = request(url, { agent }, (response) => {
          response.resume();
          response.once('end', () => finish(dueAt));
        });
        call.once('error', fail);
        call.end();
      }
      if (sent < total) setTimeout(pump, Math.max(0, start + sent * intervalMs - performance.now()));
    };
    pump();
  });
  agent.destroy();
  return latencies;
}
