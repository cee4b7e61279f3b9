import { setTimeout as sleep } from 'node:timers/promises';
import { findDatabaseProcesses, identify, type ProcessIdentity } from './owner.ts';

const END_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

/**
 * Ends servers on our file whose owner was killed without stopping them, so that the file has one writer. Throws when a
 * living owner holds the file.
 */
export async function endStaleServers(
  binary: string,
  databaseFile: string,
  log: (line: string) => void,
): Promise<void> {
  for (const { identity, ownerPid, ownerAlive } of findDatabaseProcesses(binary, databaseFile)) {
    if (ownerAlive) throw inUse(databaseFile, identity.pid, ownerPid);
    log(`ending database process ${identity.pid}, which outlived its owner`);
    kill(identity);
    await untilGone(identity);
  }
}

/**
 * Throws when another living owner's server works on our file beside our own, `ourPid`: two that start at the same moment
 * find nothing to end, and both find the other here.
 */
export function refuseSecondServer(binary: string, databaseFile: string, ourPid: number | undefined): void {
  for (const { identity, ownerPid, ownerAlive } of findDatabaseProcesses(binary, databaseFile)) {
    if (identity.pid !== ourPid && ownerAlive) throw inUse(databaseFile, identity.pid, ownerPid);
  }
}

function inUse(databaseFile: string, pid: number, ownerPid: number | undefined): Error {
  return new Error(`${databaseFile} is in use by process ${pid}, started by process ${ownerPid}`);
}

function kill(identity: ProcessIdentity): void {
  // Between finding and killing, the pid may have passed to another process.
  if (identify(identity.pid)?.startTicks === identity.startTicks) process.kill(identity.pid, 'SIGKILL');
}

async function untilGone(identity: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + END_TIMEOUT_MS;
  while (identify(identity.pid)?.startTicks === identity.startTicks) {
    if (Date.now() > deadline) throw new Error(`process ${identity.pid} did not end in ${END_TIMEOUT_MS} ms`);
    await sleep(POLL_MS);
  }
}
