import { execFile } from 'node:child_process';
import { Agent, request } from 'node:http';
import { argv, execPath, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SELF = fileURLToPath(import.meta.url);
const REAL_TIME_PRIORITY = '50';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Latencies (ms) of requests at a fixed rate, from a process of its own on one CPU. It has real-time priority: its
 * users' machines are others, so that it must not be what waits for the hog.
 */
export async function fixedRate(
  url: string,
  perSecond: number,
  seconds: number,
  cpu: number,
): Promise<number[]> {
  const client = [execPath, SELF, url, String(perSecond), String(seconds)];
  const { stdout: printed } = await promisify(execFile)(
    'taskset',
    ['--cpu-list', String(cpu), 'chrt', '--fifo', REAL_TIME_PRIORITY, ...client],
    { maxBuffer: MAX_OUTPUT_BYTES },
  );
  return JSON.parse(printed) as number[];
}

/**
 * Each latency is counted from when the request was due, not from when it left: a server that stalls makes every request
 * due meanwhile late, as its users would see it (no coordinated omission).
 */
async function measure(url: string, perSecond: number, seconds: number): Promise<number[]> {
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

if (argv[1] === SELF) {
  const [, , url = '', perSecond, seconds] = argv;
  stdout.write(JSON.stringify(await measure(url, Number(perSecond), Number(seconds))));
}
