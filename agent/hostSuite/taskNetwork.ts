import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';

/** Both ends of the only link; 198.18.0.0/15 is for tests of networks (RFC 2544), so that no route here leads there. */
export const HOST_ADDRESS = '198.18.213.1';
const TASK_ADDRESS = '198.18.213.2';
const PREFIX = '/30';
const TC_PATH = '/usr/sbin:/sbin:/usr/bin:/bin';

const run = (...[program, ...args]: [string, ...string[]]): string =>
  execFileSync(program, args, { encoding: 'utf8', env: { PATH: TC_PATH } });
const inTask = (pid: number, ...command: string[]): string =>
  run('nsenter', '-t', String(pid), '-n', ...command);

/** Runs a command in a network of its own, in the same process. */
export const apart = (command: readonly string[]): string[] => ['unshare', '-n', ...command];

export const hasOwnNetwork = (pid: number): boolean =>
  readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net');

/**
 * Gives a process that has a network of its own an `eth0`, the other end of a pair whose first end is here, as Docker's
 * bridge network does. The pair ends with the process.
 */
export function connect(pid: number): void {
  const here = `berth${pid}`;
  run('ip', 'link', 'add', here, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
  run('ip', 'address', 'add', HOST_ADDRESS + PREFIX, 'dev', here);
  run('ip', 'link', 'set', here, 'up');
  inTask(pid, 'ip', 'address', 'add', TASK_ADDRESS + PREFIX, 'dev', 'eth0');
  inTask(pid, 'ip', 'link', 'set', 'eth0', 'up');
}

/** What the kernel has counted at a queue (tc(8), `-statistics`). */
export interface Queue {
  /** `tbf`, `noqueue`, ... */
  readonly kind: string;
  readonly bytes: number;
  readonly drops: number;
  /** Packets that had to wait for the rate. */
  readonly overlimits: number;
}

/** The queue at the root of the task's interface. */
export function queueOf(pid: number): Queue {
  const [queue] = JSON.parse(inTask(pid, 'tc', '-s', '-j', 'qdisc', 'show', 'dev', 'eth0')) as Queue[];
  if (queue === undefined) throw new Error('eth0 has no queue');
  return queue;
}
