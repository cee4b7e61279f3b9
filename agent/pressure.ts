import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';

export type Pressure = HostReport['pressure'];
type Resource = keyof Pressure;

/** The `some avg10` of a PSI file (kernel documentation, accounting/psi), 0..1; undefined where it cannot be read. */
export function parsePressure(content: string): number | undefined {
  const percent = /^some avg10=([\d.]+)/m.exec(content)?.[1];
  return percent === undefined ? undefined : Number(percent) / 100;
}

/**
 * Pressure of everything below `parent` (which is this host's share of the machine), else of the whole machine. A
 * kernel without PSI shows none.
 */
export function readPressure(fs: CgroupFs, mounts: CgroupMounts, parent: string): Pressure {
  const read = (resource: Resource): number => {
    const own = `${mounts.unified}${parent}/${resource}.pressure`;
    for (const file of mounts.unified === undefined ? [] : [own]) {
      const value = tryRead(fs, file);
      if (value !== undefined) return value;
    }
    return tryRead(fs, `/proc/pressure/${resource}`) ?? 0;
  };
  return { cpu: read('cpu'), memory: read('memory'), io: read('io') };
}

function tryRead(fs: CgroupFs, file: string): number | undefined {
  try {
    return parsePressure(fs.read(file));
  } catch {
    // The group is not there yet, or the kernel keeps no PSI.
    return undefined;
  }
}
