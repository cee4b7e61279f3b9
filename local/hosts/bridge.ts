import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const bridgeName = (tag: string): string => `berth-${tag}`;

/** For the lock that every engine's changes of the rules take. */
const WAIT = ['-w', '10'];

/** Second octets tried for the bridge's 10.x.0.0/16: high, because low ones are where other networks settle. */
const FIRST_OCTET = 192;
const OCTETS = 60;

/**
 * Our own Linux bridge, so that engines of several data directories (and the system's docker0) never share one.
 * `filtered` tells whether packet filtering works here: without it there is neither isolation between tasks nor a way
 * out, and published ports go through Docker's proxy alone.
 */
export async function ensureBridge(
  tag: string,
  log: (line: string) => void,
): Promise<{ readonly bridge: string; readonly filtered: boolean }> {
  const bridge = bridgeName(tag);
  if (!existsSync(`/sys/class/net/${bridge}`)) {
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
    await run('ip', ['address', 'add', `10.${await freeOctet(tag)}.0.1/16`, 'dev', bridge]);
    await run('ip', ['link', 'set', bridge, 'up']);
  }
  const filtered = await run('iptables', [...WAIT, '-t', 'nat', '-S']).then(
    () => true,
    (error: Error) => {
      log(`iptables does not work here (${error.message.trim()}): tasks are not isolated on the bridge`);
      return false;
    },
  );
  return { bridge, filtered };
}

async function freeOctet(tag: string): Promise<number> {
  // Not by `os.networkInterfaces`, which leaves out those that are down: a route of theirs is there all the same.
  const { stdout } = await run('ip', ['-4', '-o', 'address', 'show']);
  const taken = new Set([...stdout.matchAll(/inet (\d+\.\d+)\./g)].map(([, octets]) => octets));
  const start = Number.parseInt(tag.slice(0, 4), 16);
  for (let index = 0; index < OCTETS; index += 1) {
    const octet = FIRST_OCTET + ((start + index) % OCTETS);
    if (!taken.has(`10.${octet}`)) return octet;
  }
  throw new Error(`No free network among 10.${FIRST_OCTET}.0.0/16 .. 10.${FIRST_OCTET + OCTETS - 1}.0.0/16`);
}

/** Removes the bridge and the packet-filter rules that name it: dockerd leaves both when it stops. */
export async function removeBridge(tag: string): Promise<void> {
  const bridge = bridgeName(tag);
  if (!existsSync(`/sys/class/net/${bridge}`)) return;
  const { stdout: address } = await run('ip', ['-4', '-o', 'address', 'show', 'dev', bridge]);
  const subnet = /inet (10\.\d+)\./.exec(address)?.[1];
  for (const table of ['filter', 'nat']) {
    const rules = await run('iptables', [...WAIT, '-t', table, '-S']).then(
      ({ stdout }) => stdout.split('\n'),
      // Where packet filtering does not work, no rule was made.
      () => [],
    );
    for (const rule of rules.filter((line) => line.startsWith('-A ') && namesBridge(line, bridge, subnet))) {
      await run('iptables', [...WAIT, '-t', table, '-D', ...rule.slice(3).split(' ')]);
    }
  }
  await run('ip', ['link', 'delete', bridge]);
}

const namesBridge = (rule: string, bridge: string, subnet: string | undefined): boolean =>
  rule.split(' ').includes(bridge) || (subnet !== undefined && rule.includes(` ${subnet}.0.0/16 `));
