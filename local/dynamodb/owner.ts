import { readdirSync, readFileSync } from 'node:fs';

/** A process that cannot be taken for another: pids are used again, start times are not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's boot and the start of the process. */
  readonly startTicks: string;
}

/** The variable in which a child carries its owner's identity, readable in its `/proc/<pid>/environ`. */
export const OWNER_VARIABLE = 'BERTH_OWNER';

/** The identity of a running process; undefined when there is none, or only the remains of one. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // The command's name stands in parentheses and may hold spaces and parentheses: fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTicks };
}

export function ownerText({ pid, startTicks }: ProcessIdentity): string {
  return `${pid}:${startTicks}`;
}

/** A database server that works on our file, and whether the process that started it still lives. */
export interface DatabaseProcess {
  readonly identity: ProcessIdentity;
  readonly ownerPid: number | undefined;
  readonly ownerAlive: boolean;
}

/**
 * Every process that runs `binary` on `databaseFile`. The command line is what counts: unlike a pid file it exists from
 * the first moment of the process, and cannot outlive it.
 */
export function findDatabaseProcesses(binary: string, databaseFile: string): DatabaseProcess[] {
  const found: DatabaseProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const argv = readProc(pid, 'cmdline')?.split('\0') ?? [];
    if (argv[0] !== binary || !argv.includes(databaseFile)) continue;
    const identity = identify(pid);
    if (identity === undefined) continue;
    const owner = ownerOf(pid);
    const ownerAlive = owner !== undefined && identify(owner.pid)?.startTicks === owner.startTicks;
    found.push({ identity, ownerPid: owner?.pid, ownerAlive });
  }
  return found;
}

function ownerOf(pid: number): ProcessIdentity | undefined {
  const entries = readProc(pid, 'environ')?.split('\0') ?? [];
  const text = entries
    .find((entry) => entry.startsWith(`${OWNER_VARIABLE}=`))
    ?.slice(OWNER_VARIABLE.length + 1);
  const [ownerPid, startTicks] = text?.split(':') ?? [];
  if (ownerPid === undefined || startTicks === undefined) return undefined;
  return { pid: Number(ownerPid), startTicks };
}

/** A process may end between being listed and being read. */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
