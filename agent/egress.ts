import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CALL_BOUND_MS = 5_000;
/** What may leave at once above the rate: enough for ten milliseconds, and never less than one packet of 64 KiB. */
const BURST_SECONDS = 0.01;
const MIN_BURST_BYTES = 65_536;
const LATENCY = '50ms';

/** Whether this host has what shaping needs: `nsenter` (util-linux) and `tc` (iproute2). */
export function canShape(path = process.env.PATH ?? ''): boolean {
  const directories = [...path.split(delimiter), '/usr/sbin', '/sbin', '/usr/bin'];
  return ['nsenter', 'tc'].every((program) =>
    directories.some((directory) => executable(`${directory}/${program}`)),
  );
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there.
    return false;
  }
}

/**
 * Holds what leaves a container's own interface to a rate, by a token bucket inside its network namespace; a task
 * without `CAP_NET_ADMIN` cannot undo it. Rejects with tc's own words, e.g. for a container in the host's network.
 */
export async function limitEgress(pid: number, megabitsPerSecond: number): Promise<void> {
  const burst = Math.max(MIN_BURST_BYTES, Math.round((megabitsPerSecond * 1e6 * BURST_SECONDS) / 8));
  const shape = ['tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', `${megabitsPerSecond}mbit`];
  await run('nsenter', ['-t', String(pid), '-n', ...shape, 'burst', String(burst), 'latency', LATENCY], {
    timeout: CALL_BOUND_MS,
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin` },
  });
}
