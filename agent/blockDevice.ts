import { existsSync, readFileSync, statSync } from 'node:fs';

/**
 * `major:minor` of the whole disk behind a path, which is what the kernel limits I/O by; undefined when the path is
 * missing or lies on no disk (tmpfs, a network).
 */
export function wholeDisk(path: string, sysDevBlock = '/sys/dev/block'): string | undefined {
  const device = statSync(path, { throwIfNoEntry: false })?.dev;
  if (device === undefined) return undefined;
  // Linux's encoding of a device number in user space: 12 bits of major, 20 of minor, interleaved.
  const major = ((device >> 8) & 0xfff) | ((device / 2 ** 32) & ~0xfff);
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  const entry = `${sysDevBlock}/${major}:${minor}`;
  if (!existsSync(entry)) return undefined;
  // A partition is a directory inside its disk's.
  if (existsSync(`${entry}/partition`)) return readFileSync(`${entry}/../dev`, 'utf8').trim();
  return `${major}:${minor}`;
}
