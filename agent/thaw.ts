import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, KernelCgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import { fileJournal } from './journal.ts';
import { Reconciler } from './reconciler.ts';
import type { Settings } from './settings.ts';

/** Thaws every task that an agent of this host froze: a dead agent cannot end its ten seconds. */
export function thawAll(settings: Settings, mounts: CgroupMounts): void {
  const fs = new KernelCgroupFs();
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const reconciler = new Reconciler(
    fs,
    mounts,
    fileJournal(join(settings.stateDirectory, 'journal'), bootId),
  );
  const [file, value] = mounts.version === 2 ? ['cgroup.freeze', '0'] : ['freezer.state', 'THAWED'];
  const parent = controllerDirectory(mounts, 'memory', settings.cgroupParent);
  for (const name of parent === undefined ? [] : fs.list(parent)) {
    const cgroup = `${settings.cgroupParent}/${name}`;
    if (!reconciler.wrote(cgroup, file)) continue;
    try {
      fs.write(`${controllerDirectory(mounts, 'freezer', cgroup)}/${file}`, value);
    } catch (error) {
      // A task that is gone needs no thaw.
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}
