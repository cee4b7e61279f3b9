import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { ensureBridge, removeBridge } from './bridge.ts';

/** Where our own Docker Engine keeps its things. */
export interface DockerdPaths {
  /** Eight hex, stable for a data directory: names the bridge and run directory. */
  readonly tag: string;
  readonly socket: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidFile: string;
  readonly logFile: string;
}

/** A unix socket's path holds 107 bytes, and containerd's lies 30 below the exec root. */
const EXEC_ROOT_MAX_BYTES = 70;
const READY_BOUND_MS = 20_000;
const STOP_BOUND_MS = 15_000;
const LOG_TAIL_BYTES = 2_000;

export function dockerdPaths(dataDir: string): DockerdPaths {
  const directory = join(resolve(dataDir), 'docker');
  const tag = createHash('sha256').update(directory).digest('hex').slice(0, 8);
  const wanted = join(directory, 'run');
  const execRoot = Buffer.byteLength(wanted) <= EXEC_ROOT_MAX_BYTES ? wanted : `/run/berth-${tag}`;
  return {
    tag,
    socket: join(execRoot, 'docker.sock'),
    dataRoot: join(directory, 'data'),
    execRoot,
    pidFile: join(execRoot, 'dockerd.pid'),
    logFile: join(directory, 'dockerd.log'),
  };
}

/** dockerd lies in /usr/sbin on Debian, which an ordinary user's PATH leaves out. */
export function findDockerd(path = process.env.PATH ?? ''): string | undefined {
  for (const directory of [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin']) {
    const file = join(directory, 'dockerd');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this directory; the next one may have it.
    }
  }
  return undefined;
}

/** The running Docker Engine of this data directory, by pid file and command line, or undefined. */
export function dockerdPid(paths: DockerdPaths): number | undefined {
  try {
    const pid = Number(readFileSync(paths.pidFile, 'utf8'));
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return commandLine.includes(paths.dataRoot) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts Docker Engine with its own socket, data and bridge, detached so that it and its containers outlive a killed
 * embedded AWS; one that still runs for this data directory is used as it is. Resolves when it answers.
 */
export async function startDockerd(dataDir: string, log: (line: string) => void): Promise<DockerdPaths> {
  const paths = dockerdPaths(dataDir);
  if (dockerdPid(paths) !== undefined && (await answers(paths.socket, READY_BOUND_MS))) return paths;
  const binary = findDockerd();
  if (binary === undefined) {
    throw new Error(
      'Docker Engine is not installed: no dockerd in PATH or /usr/sbin. Install it with `apt-get install docker.io`.',
    );
  }
  mkdirSync(paths.execRoot, { recursive: true });
  mkdirSync(paths.dataRoot, { recursive: true });
  const { bridge, filtered } = await ensureBridge(paths.tag, log);
  const failures: string[] = [];
  for (const driver of ['overlay2', 'vfs']) {
    rmSync(paths.pidFile, { force: true });
    const failure = await attempt(binary, dockerdArguments(paths, bridge, filtered, driver), paths);
    if (failure === undefined) {
      log(`Docker Engine started (${driver}, bridge ${bridge}), log in ${paths.logFile}`);
      return paths;
    }
    failures.push(`${driver}: ${failure}`);
  }
  throw new Error(
    `Docker Engine did not start. ${failures.join('; ')}. Its log is ${paths.logFile}. It needs root, and cgroups mounted.`,
  );
}

function dockerdArguments(paths: DockerdPaths, bridge: string, filtered: boolean, driver: string): string[] {
  return [
    ['--host', `unix://${paths.socket}`],
    ['--data-root', paths.dataRoot],
    ['--exec-root', paths.execRoot],
    ['--pidfile', paths.pidFile],
    ['--bridge', bridge],
    // Tasks on one bridge must not reach each other; without packet filtering there is no such switch.
    filtered ? ['--icc=false'] : ['--iptables=false', '--ip-masq=false'],
    ['--storage-driver', driver],
    ['--exec-opt', 'native.cgroupdriver=cgroupfs'],
    ['--live-restore', '--log-level', 'warn', '--shutdown-timeout', '5'],
  ].flat();
}

/** The reason it failed, or undefined when it is ready. */
async function attempt(binary: string, args: string[], paths: DockerdPaths): Promise<string | undefined> {
  const output = openSync(paths.logFile, 'a');
  const child = spawn(binary, args, { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  child.unref();
  const exited = new Promise<string>((end) => {
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) =>
      end(`dockerd ended with ${signal ?? `code ${code}`}: ${tail(paths)}`),
    );
  });
  const ready = answers(paths.socket, READY_BOUND_MS).then((ok) =>
    ok ? undefined : `not ready within ${READY_BOUND_MS} ms: ${tail(paths)}`,
  );
  const failure = await Promise.race([exited, ready]);
  if (failure !== undefined) await endChild(child);
  return failure;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGKILL');
  await new Promise((end) => child.once('exit', end));
}

const tail = (paths: DockerdPaths): string =>
  readFileSync(paths.logFile, 'utf8').slice(-LOG_TAIL_BYTES).trim();

/** Whether an engine behind the socket answers within the bound. */
export async function answers(socketPath: string, boundMs: number): Promise<boolean> {
  const docker = new Docker({ socketPath, timeout: 2_000 });
  const deadline = Date.now() + boundMs;
  for (;;) {
    try {
      await docker.ping();
      return true;
    } catch {
      if (Date.now() >= deadline) return false;
      await sleep(50);
    }
  }
}

/** Stops our own engine by pid, and removes its bridge. Containers must be gone before: live-restore would keep them. */
export async function stopDockerd(dataDir: string): Promise<void> {
  const paths = dockerdPaths(dataDir);
  const pid = dockerdPid(paths);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + STOP_BOUND_MS;
    while (dockerdPid(paths) !== undefined) {
      if (Date.now() >= deadline) {
        process.kill(pid, 'SIGKILL');
        break;
      }
      await sleep(20);
    }
  }
  await removeBridge(paths.tag);
  await unmountDataRoot(paths.dataRoot);
  rmSync(paths.execRoot, { recursive: true, force: true });
}

/** dockerd mounts its data root on itself and, below a bind mount or in a chroot, leaves that behind. */
async function unmountDataRoot(dataRoot: string): Promise<void> {
  const mountPoints = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4]);
  if (mountPoints.includes(dataRoot)) await promisify(execFile)('umount', [dataRoot]);
}
