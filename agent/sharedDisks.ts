import { readdirSync, readFileSync } from 'node:fs';
import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';

const readIfThere = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The disk has no queue, or has just gone.
    return '';
  }
};

/** `major:minor` and name of the disks whose I/O is shared out by weight: by the scheduler BFQ, or on v2 by iocost. */
function sharedDisks(
  fs: CgroupFs,
  { version, unified }: CgroupMounts,
  sysBlock: string,
): Map<string, string> {
  let costed = '';
  try {
    if (version === 2) costed = fs.read(`${unified}/io.cost.qos`);
  } catch {
    // A kernel without iocost.
  }
  const disks = new Map<string, string>();
  for (const name of readdirSync(sysBlock)) {
    const device = readIfThere(`${sysBlock}/${name}/dev`).trim();
    const bfq = readIfThere(`${sysBlock}/${name}/queue/scheduler`).includes('[bfq]');
    const iocost = costed.split('\n').some((line) => line.startsWith(`${device} enable=1`));
    if (device !== '' && (bfq || iocost)) disks.set(device, name);
  }
  return disks;
}

/**
 * What an I/O weight is worth here (`Capabilities`): without a disk that heeds it, it is a number in a file. `rootDisk` is
 * that of the containers' own files, as `major:minor`.
 */
export function ioWeightCapability(
  fs: CgroupFs,
  mounts: CgroupMounts,
  rootDisk: string | undefined,
  sysBlock = '/sys/block',
): string {
  const disks = sharedDisks(fs, mounts, sysBlock);
  if (rootDisk !== undefined && disks.has(rootDisk)) return 'yes';
  if (disks.size > 0) return `partial: on ${[...disks.values()].sort().join(', ')} alone`;
  return mounts.version === 2
    ? 'no: no disk here is shared by weight, iocost is off and none has BFQ'
    : 'no: no disk here is shared by weight, none has BFQ';
}
