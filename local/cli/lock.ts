import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The start time that the kernel keeps of a process tells it from a later one of the same pid (proc(5), stat field 22). */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/**
 * Makes this process the only one on a data folder. A lock whose process is gone (it was killed) is taken over.
 * @throws when a living process holds it, naming its pid.
 */
export function lockDataDir(dataDir: string): { release(): void } {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'lock');
  const own = `${process.pid} ${startTicks(process.pid) ?? ''}`;
  for (;;) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', ticks] = readFileSync(file, 'utf8').split(' ');
    if (pid !== '' && startTicks(Number(pid)) === ticks) {
      throw new Error(
        `${dataDir} is in use by process ${pid}. Stop it (kill ${pid}), or start with another folder: --data DIR.`,
      );
    }
    rmSync(file, { force: true });
  }
}
